"""The big mailbox: which messages it holds, and what a right server tells of them.

Message `i` is the same octets whenever the seed is the same: plain text in three encodings, HTML,
attachments and forwarded mail, English and Chinese, in threads. `BigMailbox` counts once what
listings and searches have to answer.
"""

from __future__ import annotations

__all__ = ["BigMailbox", "Corpus", "Facts"]

import random
from dataclasses import dataclass
from functools import lru_cache

from bench.corpus.templates import Template, make_templates
from bench.corpus.vocabulary import (
    CHINESE_PAIR,
    DOMAIN,
    SUBJECT_WORD,
    Vocabulary,
    base64_lines,
    encoded_word,
    message_date,
)

_EPOCH = 1_672_531_200  # 2023-01-01
_APART = 600  # seconds between two messages
_BLOCK = 16  # threads are laid out in blocks of so many messages
_REPLIES = 0.6
_CHINESE = 0.3
_SENDER = 37  # searches look for this one
_HOSTS = 9  # that messages come from
_ACCENTED_BELOW, _CHINESE_BELOW = 0.30, 0.42  # shares of kinds of messages, added up


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a message without making it."""

    message_id: str
    flags: tuple[str, ...]
    sender: int
    received: int
    subject: str
    has_word: bool
    is_chinese: bool
    parent: int | None
    root: int


@dataclass(frozen=True, slots=True)
class _Thread:
    members: list[int]
    subject: str
    has_word: bool
    is_chinese: bool


class Corpus:
    """Messages by number."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.vocabulary = Vocabulary(seed)
        self._block = lru_cache(maxsize=64)(self._lay_out)

    @property
    def sender(self) -> str:
        """The address that searches for a sender look for."""
        return self.vocabulary.person(_SENDER)[1]

    def message_id(self, number: int) -> str:
        return f"m{number:07d}.s{self.seed}@{DOMAIN}"

    def facts(self, number: int) -> Facts:
        thread, parent = self._block(number // _BLOCK)[number % _BLOCK]
        mixed = (number * 2654435761 + self.seed * 97) & 0xFFFFFFFF
        flags = {"\\Seen": mixed % 10 < 7, "\\Answered": (mixed >> 8) % 10 == 0, "\\Flagged": (mixed >> 16) % 33 == 0}
        return Facts(
            message_id=self.message_id(number),
            flags=tuple(flag for flag, is_set in flags.items() if is_set),
            sender=(mixed >> 4) % len(self.vocabulary.people),
            received=_EPOCH + number * _APART,
            subject=thread.subject,
            has_word=thread.has_word,
            is_chinese=thread.is_chinese,
            parent=parent,
            root=thread.members[0],
        )

    def message(self, number: int) -> bytes:
        """Return the whole message, with CRLF for each line break."""
        facts = self.facts(number)
        chance = _chance(number, self.seed)
        content_fields, body = self._content(number, facts, chance)
        return "\r\n".join([*self._header(number, facts), *content_fields, "", body]).encode()

    def templates(self, size: int, count: int = 64) -> list[Template]:
        """Return messages of about `size` octets that lack only their Message-ID."""
        return make_templates(self.vocabulary, size, count, self.seed)

    def _lay_out(self, block: int) -> list[tuple[_Thread, int | None]]:
        """Return the thread of each message of a block, and the message that it answers."""
        chance = random.Random(f"block-{self.seed}-{block}")
        threads: list[_Thread] = []
        rows: list[tuple[_Thread, int | None]] = []
        for number in range(block * _BLOCK, (block + 1) * _BLOCK):
            if threads and chance.random() < _REPLIES:
                thread = chance.choice(threads)
                rows.append((thread, chance.choice(thread.members)))
                thread.members.append(number)
                continue
            thread = self._begin_thread(number, chance)
            threads.append(thread)
            rows.append((thread, None))
        return rows

    def _begin_thread(self, number: int, chance: random.Random) -> _Thread:
        if chance.random() < _CHINESE:
            return _Thread([number], self.vocabulary.chinese_subject(chance), False, True)
        subject, has_word = self.vocabulary.subject(chance), chance.random() < 0.005
        return _Thread([number], f"{SUBJECT_WORD} {subject}" if has_word else subject, has_word, False)

    def _header(self, number: int, facts: Facts) -> list[str]:
        name, address = self.vocabulary.person(facts.sender)
        to_name, to_address = self.vocabulary.person(facts.sender * 7 + number)
        subject = encoded_word(facts.subject) if facts.is_chinese else facts.subject
        fields = [
            f"Return-Path: <{address}>",
            _received(number, facts.received),
            _signature(self.vocabulary.attachments[number % 80]),
            f"Date: {message_date(facts.received - 30, number)}",
            f"From: {name} <{address}>",
            f"To: {to_name} <{to_address}>, user@example.test",
        ]
        if number % 5 == 0:
            copies = [self.vocabulary.person(number + nth * 31) for nth in range(1 + number % 3)]
            fields.append("Cc: " + ", ".join(f"{name} <{address}>" for name, address in copies))
        fields += [f"Subject: {'' if facts.parent is None else 'Re: '}{subject}", f"Message-ID: <{facts.message_id}>"]
        if facts.parent is not None:
            parent, root = self.message_id(facts.parent), self.message_id(facts.root)
            references = f"<{root}>" if parent == root else f"<{root}>\r\n <{parent}>"
            fields += [f"In-Reply-To: <{parent}>", f"References: {references}"]
        return [*fields, "MIME-Version: 1.0", "X-Mailer: CorpusMailer 2.1"]

    def has_chinese(self, number: int, word: str) -> bool:
        """Whether the body is Chinese and holds the word."""
        chance = _chance(number, self.seed)
        _, kind, length, _ = self._text(chance)
        return _ACCENTED_BELOW <= kind < _CHINESE_BELOW and word in self._chinese_text(chance, length)

    def _text(self, chance: random.Random) -> tuple[Vocabulary, float, int, str]:
        """Return the words, which kind of message it is, how many paragraphs it has, and them in English."""
        words, kind = self.vocabulary, chance.random()
        length = min(1 + int(chance.expovariate(0.45)), 8)
        return words, kind, length, "\r\n".join(chance.choice(words.paragraphs) for _ in range(length))

    def _chinese_text(self, chance: random.Random, length: int) -> str:
        return "".join(chance.choice(self.vocabulary.chinese) for _ in range(length))

    def _content(self, number: int, facts: Facts, chance: random.Random) -> tuple[list[str], str]:
        """Return the fields of the content and the body."""
        words, kind, length, text = self._text(chance)
        if kind < 0.25:
            return ["Content-Type: text/plain; charset=us-ascii"], text
        if kind < _ACCENTED_BELOW:
            text = "\r\n".join(chance.choice(words.accented) for _ in range(length))
            return _encoded("quoted-printable"), text
        if kind < _CHINESE_BELOW:
            return _encoded("base64"), base64_lines(self._chinese_text(chance, length).encode())
        paragraphs = "".join(f'<p style=3D"margin:0">{chance.choice(words.paragraphs)}</p>\r\n' for _ in range(length))
        html = f'<html><head><meta charset=3D"utf-8"></head><body>{paragraphs}</body></html>\r\n'
        boundary = f"=_b{number:07d}"
        alternative = f'Content-Type: multipart/alternative; boundary="{boundary}a"'
        either = _parts(f"{boundary}a", f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}", f"{_HTML}{html}")
        if kind < 0.75:
            return [alternative], either
        mixed = f'Content-Type: multipart/mixed; boundary="{boundary}m"'
        if kind < 0.95:
            file = encoded_word(f"文档{number}.pdf") if facts.is_chinese else f"file{number}.pdf"
            attachment = f"{_attachment(file)}{chance.choice(words.attachments)}"
            preamble = "This is a multi-part message in MIME format.\r\n"
            return [mixed], preamble + _parts(f"{boundary}m", f"{alternative}\r\n\r\n{either}", attachment)
        inner = f"Date: {message_date(facts.received - 9000)}\r\nFrom: {words.person(number)[1]}\r\n"
        inner += f"Subject: forwarded item {number}\r\nMIME-Version: 1.0\r\n{alternative}\r\n\r\n{either}"
        note = "Content-Type: text/plain\r\n\r\nSee below.\r\n"
        return [mixed], _parts(f"{boundary}m", note, f"Content-Type: message/rfc822\r\n\r\n{inner}")


class BigMailbox:
    """What a right server tells of the first `count` messages of a corpus."""

    def __init__(self, corpus: Corpus, count: int) -> None:
        self.corpus, self.count = corpus, count
        self.sizes: dict[bytes, int] = {}
        self.unseen = self.flagged = self.from_sender = self.with_word = self.chinese = self.chinese_bodies = 0
        for number in range(count):
            facts = corpus.facts(number)
            self.sizes[facts.message_id.encode()] = len(corpus.message(number))
            self.unseen += "\\Seen" not in facts.flags
            self.flagged += "\\Flagged" in facts.flags
            self.from_sender += facts.sender == _SENDER
            self.with_word += facts.has_word
            self.chinese += facts.is_chinese
            self.chinese_bodies += corpus.has_chinese(number, CHINESE_PAIR)

    @property
    def from_first_host(self) -> int:
        """How many messages came by the host `FIRST_HOST`."""
        return -(-self.count // _HOSTS)

    def naming(self, number: int) -> int:
        """How many messages have the Message-ID of this one, or name it as their parent or root."""
        near = range(max(number - _BLOCK, 0), min(number + _BLOCK, self.count))
        return sum(
            number in (other, facts.parent, facts.root if facts.parent is not None else None)
            for other, facts in ((other, self.corpus.facts(other)) for other in near)
        )


def _chance(number: int, seed: int) -> random.Random:
    return random.Random(number * 1_000_003 + seed)


_HTML = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"


def _received(number: int, at: int) -> str:
    host = f"mx{number % _HOSTS}.{DOMAIN}"
    return (
        f"Received: from {host} ({host} [192.0.2.{number % 250}])\r\n"
        f"\tby mail.example.test with ESMTPS id {number:08X}\r\n"
        f"\tfor <user@example.test>; {message_date(at)}"
    )


def _signature(attachment: str) -> str:
    octets = attachment[:72].replace("\r\n", "")
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={DOMAIN};\r\n"
        "\ts=s1; h=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
        f"\tb={octets}\r\n\t {octets[::-1]}"
    )


def _encoded(encoding: str) -> list[str]:
    return ["Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"]


def _attachment(file: str) -> str:
    return (
        f'Content-Type: application/pdf; name="{file}"\r\n'
        f'Content-Disposition: attachment; filename="{file}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )


def _parts(boundary: str, *parts: str) -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
