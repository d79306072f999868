"""What servers say when they refuse: known answers, and causes in plain words for everything else.

Invariant: any answer has a cause, in English and in Chinese; an answer that is found fits the code and the words, the
host's letters in upper case find the same, and a cause for good is never one that says "later".
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.queue.catalogue import find_answer, plain_cause, provider_of
from hongyan.queue.outcome import Stage

CORPUS: list[bytes] = [
    b"550 5.1.1 mx.google.com\n5.1.1 The email account that you tried to reach does not exist. gsmtp",
    b"550 5.7.1 mx3.qq.com[203.0.113.1]\nMail content denied. http://service.mail.qq.com/cgi-bin/help",
    b"451 4.7.500 x.mail.protection.outlook.com.\nServer busy. Please try again later (S77719)",
    "554 5.7.1 163mx01.mxmail.netease.com\nDT:SPM 邮件被拒绝".encode(),
    "421  \nİİİ too many connections".encode(),
]


def target(octets: bytes) -> None:
    head, _, said = octets.decode("utf-8", "replace").partition("\n")
    digits, _, rest = head.partition(" ")
    status, _, remote = rest.partition(" ")
    code = int(digits) % 1000 if digits.isdecimal() and digits.isascii() and len(digits) < 9 else None
    provider_of(remote, said)
    found = find_answer(code, said, remote)
    assert found is None or found.matches(code, said.lower())
    assert found == find_answer(code, said, remote.upper()) or not remote.isascii()
    for stage in (Stage.CONNECT, Stage.TLS, Stage.RECIPIENT, Stage.END):
        cause = plain_cause(code, status, said, remote, stage)
        assert cause.english
        assert cause.chinese
