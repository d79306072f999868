"""Messages to deliver and append: each lacks only its Message-ID, which makes it one of a kind."""

from __future__ import annotations

__all__ = ["Template", "make_templates"]

import random
from dataclasses import dataclass

from bench.corpus.vocabulary import DOMAIN, Vocabulary, encoded_word, message_date

_EPOCH = 1_672_531_200
_ID_OCTETS = 40
_BASE64_LINE = 78  # with its CRLF


@dataclass(frozen=True, slots=True)
class Template:
    """A message with a gap; no line of it begins with a dot, so that DATA carries it as it is."""

    before: bytes
    after: bytes

    def message(self, name: bytes) -> bytes:
        """Return the message that bears this name."""
        return b"%b%b@%b%b" % (self.before, name, DOMAIN.encode(), self.after)


def make_templates(vocabulary: Vocabulary, size: int, count: int, seed: int) -> list[Template]:
    """Return `count` messages with a text, an HTML form and an attachment that fills them up to about `size` octets."""
    return [_make(vocabulary, size, number, random.Random(f"{seed}-{size}-{number}")) for number in range(count)]


def _make(vocabulary: Vocabulary, size: int, number: int, chance: random.Random) -> Template:
    name, address = vocabulary.person(number * 5)
    is_chinese = number % 3 == 2
    subject = encoded_word(vocabulary.chinese_subject(chance)) if is_chinese else vocabulary.subject(chance)
    before = (
        f"Date: {message_date(_EPOCH + number * 3600, number)}\r\nFrom: {name} <{address}>\r\n"
        f"To: Bench User <user@example.test>\r\nSubject: {subject}\r\nMessage-ID: <"
    )
    text = "\r\n".join(chance.choice(vocabulary.paragraphs) for _ in range(2))
    html = "".join(f"<p>{chance.choice(vocabulary.paragraphs)}</p>\r\n" for _ in range(2))
    edge = f"=_t{number:04d}"
    body = (
        f'>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{edge}m"\r\n\r\n'
        f'--{edge}m\r\nContent-Type: multipart/alternative; boundary="{edge}a"\r\n\r\n'
        f"--{edge}a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        f"\r\n--{edge}a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f"<html><body>{html}</body></html>\r\n--{edge}a--\r\n--{edge}m\r\n"
        f'Content-Type: application/octet-stream; name="data{number}.bin"\r\n'
        f'Content-Disposition: attachment; filename="data{number}.bin"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    end = f"--{edge}m--\r\n"
    room = max(size - len((before + body + end).encode()) - _ID_OCTETS, _BASE64_LINE)
    filling = vocabulary.filling * (room // len(vocabulary.filling) + 1)
    return Template(before.encode(), (body + filling[: room // _BASE64_LINE * _BASE64_LINE] + end).encode())
