"""ENVELOPE and BODYSTRUCTURE of real and of broken mail: where Dovecot and Cyrus agree, so do we.

Both servers are given every message at hand and asked for the two; what they say is read by a reader that knows
lists and strings only, and compared with ours. Letters' case, runs of white space and the way in which characters
beyond ASCII are written do not count.
"""

from __future__ import annotations

import imaplib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bench.meters import make_meter
from bench.peers.cyrus import Cyrus
from bench.peers.dovecot import Dovecot
from bench.server import SECRET, user_name
from hongyan.clock import SystemClock
from hongyan.domains.local_authority import make_local_certificate
from hongyan.message.analyze import analyze
from hongyan.message.encoded_words import decode_words
from tests.support.testdata import SUITES_OF_MESSAGES, message_files

pytestmark = [pytest.mark.interop, pytest.mark.root]

Count = Callable[[str, int], None]
Found = Mapping[str, object]

_DOMAIN = "structure.test"
_LARGEST = 2 << 20

_BACKSLASH = "a file name of Windows in quotes keeps its backslashes: programs of its time did not escape them"
_EXTENDED = "octets beyond ASCII in a parameter are told in RFC 2231's notation, which every program reads"
_SHOWN_AS_READ = "an encoding that is no token is told as it is read, so that programs can decode the part"
DEVIATIONS = {
    "mime-mikel/error_emails/content_transfer_encoding_with_semi_colon.eml": _SHOWN_AS_READ,
    "mime-mime4j/mimetools-testmsgs/multi-2evil.msg": _BACKSLASH,
    "mime-mime4j/mimetools-testmsgs/multi-2evil.out": _BACKSLASH,
    "mime-mime4j/testmsgs/weird-boundary.msg": "a boundary does not end with a space (RFC 2046 §5.1.1), and parts show",
    "mime-spamscope/mail_test_1": _EXTENDED,
    "mime-stalwart/legacy/016.eml": _EXTENDED,
    "mime-stalwart/legacy/023.eml": _EXTENDED,
    "mime-stalwart/legacy/035.eml": _BACKSLASH,
    "mime-zbateson/m4004.txt": _BACKSLASH,
    "mime-zbateson/m4008.txt": _BACKSLASH,
}
"""Messages of which ours differs from what both say, and why."""


def test_where_dovecot_and_cyrus_agree_so_do_we(count_cases: Count) -> None:
    messages = _messages()
    with tempfile.TemporaryDirectory(prefix="hongyan-structure-") as folder, _peers(Path(folder)) as (dovecot, cyrus):
        theirs = _ask(dovecot, messages), _ask(cyrus, messages)
    differing = set()
    agreed = 0
    for name, octets in messages.items():
        analysis = analyze(b"", octets)
        for item, ours in (("ENVELOPE", analysis.envelope), ("BODYSTRUCTURE", analysis.bodystructure)):
            one, other = (found.get(f"{name} {item}") for found in theirs)
            if one is None or one != other:
                continue
            agreed += 1
            if one != _normal(_read(ours)[0]):
                differing.add(name)
    assert differing == {name for name in DEVIATIONS if name in messages}
    assert agreed > len(messages)
    count_cases("structures beside Dovecot and Cyrus", agreed)


def _messages() -> Mapping[str, bytes]:
    """Return every message at hand once, as it travels."""
    found: dict[str, bytes] = {}
    seen: set[bytes] = set()
    for suite in (*SUITES_OF_MESSAGES, "dkim-maildkim"):
        for file in message_files(suite):
            if not 0 < file.stat().st_size <= _LARGEST:
                continue
            octets = imaplib.MapCRLF.sub(b"\r\n", file.read_bytes())  # type: ignore[attr-defined]  # as APPEND does
            if octets.startswith(b"From "):
                octets = octets.split(b"\r\n", 1)[1]
            digest = sha256(octets).digest()
            if digest not in seen:
                seen.add(digest)
                found[f"{suite}/{file.as_posix().split(f'/{suite}/')[1]}"] = octets
    return found


@contextmanager
def _peers(folder: Path) -> Iterator[tuple[int, int]]:
    """Run both servers; yield their ports of IMAP."""
    folder.chmod(0o755)  # the users that they run as have to get here
    certificate = make_local_certificate(folder / "tls", _DOMAIN, SystemClock()).files
    meters = make_meter("structure-dovecot"), make_meter("structure-cyrus")
    servers: list[Dovecot | Cyrus] = []
    try:
        for name in ("dovecot", "cyrus"):
            (folder / name).mkdir()
        servers.append(Dovecot(folder / "dovecot", meters[0], _DOMAIN, certificate))
        servers.append(Cyrus(folder / "cyrus", meters[1], _DOMAIN, certificate))
        for server in servers:
            server.start()
        yield servers[0].ports[0], servers[1].ports[0]
    finally:
        for server in servers:
            server.stop()
        for meter in meters:
            meter.close()


def _ask(port: int, messages: Mapping[str, bytes]) -> Found:
    """Return what a server says of each message, by name and item; nothing of those that it refuses."""
    said: dict[str, object] = {}
    with imaplib.IMAP4("127.0.0.1", port, timeout=60) as imap:
        imap.login(f"{user_name(1)}@{_DOMAIN}", SECRET)
        imap.create("structures")
        names = {}
        for name, octets in messages.items():
            status, answer = imap.append("structures", "", "", octets)
            if status == "OK":
                names[int(re.search(rb"APPENDUID \d+ (\d+)", answer[0])[1])] = name  # type: ignore[index]
        assert imap.select("structures")[0] == "OK", imap.untagged_responses
        for item in ("ENVELOPE", "BODYSTRUCTURE"):
            for uid, value in _fetched(imap, item):
                said[f"{names[uid]} {item}"] = _normal(value)
    return said


def _fetched(imap: imaplib.IMAP4, item: str) -> Iterator[tuple[int, object]]:
    """Yield the UID and the value of each message."""
    row: list[bytes] = []
    for piece in imap.uid("FETCH", "1:*", f"({item})")[1]:
        # A literal comes as what stood before it and its octets; what stands behind it comes next.
        row.append(b"\r\n".join(piece) if isinstance(piece, tuple) else piece)
        if not isinstance(piece, tuple):
            values = _read(b"".join(row))[1]
            yield values[values.index("UID") + 1], values[values.index(item) + 1]
            row = []


_TOKENS = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|([^\s()]+))', re.DOTALL)


def _read(octets: bytes) -> list[Any]:
    """Read lists, strings, numbers and words."""
    stack: list[list[Any]] = [[]]
    position = 0
    while match := _TOKENS.match(octets, position):
        position = match.end()
        opening, closing, quoted, literal, word = match.groups()
        if opening:
            stack.append([])
        elif closing:
            inner = stack.pop()
            stack[-1].append(inner)
        elif quoted is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL))
        elif literal:
            stack[-1].append(octets[position : position + int(literal)])
            position += int(literal)
        else:
            stack[-1].append(None if word == b"NIL" else int(word) if word.isdigit() else word.decode())
    return stack[0]


def _normal(value: object) -> object:
    """Return a value in the form in which values are compared."""
    if isinstance(value, bytes):
        return " ".join(decode_words(value).lower().split())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_normal(one) for one in value]
    return value
