"""Letters that are easy to tell apart, in English and in Chinese."""

from __future__ import annotations

__all__ = ["letter", "unwanted", "wanted"]

_WANTED = (
    "the minutes of our meeting about the bridge are attached, see you on thursday at the office",
    "could you review the second chapter before friday, the drawings of the harbour are nearly done",
    "我们周四在办公室开会，请把图纸和会议纪要一起带来，谢谢",
)
_UNWANTED = (
    "cheap pills without prescription, order now and win a prize, unsubscribe never, click this offer",
    "you have won the lottery, send your account number and claim millions of dollars today",
    "代开各种发票，点数优惠，联系电话微信同号，诚信经营，欢迎来电咨询",
)


def letter(subject: str, text: str, *, sender: str = "friend@elsewhere.test", number: int = 0) -> bytes:
    """Return a message."""
    return (
        f"From: {sender}\r\nTo: ann@hongyan.test\r\nSubject: {subject}\r\nMessage-ID: <{number}.{len(text)}@x>\r\n"
        f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}, {100 + number} times\r\n"
    ).encode()


def wanted(number: int) -> bytes:
    """Return the n-th letter of a friend."""
    text = _WANTED[number % len(_WANTED)]
    return letter(f"meeting {number}", text, number=number)


def unwanted(number: int) -> bytes:
    """Return the n-th letter that nobody wants."""
    text = _UNWANTED[number % len(_UNWANTED)]
    return letter(f"offer {number}", text, sender="winner@offers.test", number=number)
