"""What servers of this kind offer, whether Hongyan means to, and whether it does: a chapter of docs/rfcs.md.

Goals are set by hand, after what Dovecot, Cyrus, Stalwart, mox, James, WildDuck and Postfix offer. Whether an
extension stands is not: it is read from what the protocol cores announce, so that the page cannot promise more
than EHLO, CAPABILITY and CAPA do. What nobody announces (`BESIDE`) has its status by hand.
"""

from __future__ import annotations

__all__ = ["BESIDE", "EXTENSIONS", "Extension", "announced", "chapters", "numbers", "standing"]

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hongyan.servers.imap.capabilities import capabilities
from hongyan.servers.sasl import Door
from hongyan.wire.pop3 import server as pop3
from hongyan.wire.smtp.offer import Offer, hello_reply

MUST, SHOULD, LATER, NOT = "must", "should", "later", "not pursued"


@dataclass(frozen=True, slots=True)
class Extension:
    """One line of the chapter. The name is the word that announces it."""

    protocol: str
    name: str
    rfc: tuple[int, ...]
    goal: str
    note: str = ""


def _rows(protocol: str, goal: str, *rows: tuple[str, int | tuple[int, ...], str]) -> list[Extension]:
    return [
        Extension(protocol, name, rfc if isinstance(rfc, tuple) else (rfc,), goal, note) for name, rfc, note in rows
    ]


EXTENSIONS: list[Extension] = [
    *_rows(
        "IMAP",
        MUST,
        ("IMAP4rev1", 3501, ""),
        ("IMAP4rev2", 9051, ""),
        ("IDLE", 2177, ""),
        ("NAMESPACE", 2342, ""),
        ("ID", 2971, ""),
        ("CHILDREN", 3348, ""),
        ("UNSELECT", 3691, ""),
        ("UIDPLUS", 4315, ""),
        ("MOVE", 6851, ""),
        ("ENABLE", 5161, ""),
        ("CONDSTORE", 7162, ""),
        ("QRESYNC", 7162, "the parser and the log know it"),
        ("LITERAL+", 7888, "LITERAL- before login"),
        ("SASL-IR", 4959, ""),
        ("APPENDLIMIT", 7889, ""),
        ("ESEARCH", 4731, ""),
        ("SEARCHRES", 5182, ""),
        ("SORT", 5256, "the parser knows it"),
        ("THREAD=REFERENCES", 5256, "the parser knows it"),
        ("WITHIN", 5032, ""),
        ("LIST-EXTENDED", 5258, ""),
        ("LIST-STATUS", 5819, ""),
        ("SPECIAL-USE", 6154, "with CREATE-SPECIAL-USE"),
        ("STATUS=SIZE", 8438, ""),
        ("QUOTA", 9208, "storage and messages"),
        ("OBJECTID", 8474, "THREADID is NIL"),
        ("PREVIEW", 8970, ""),
        ("UTF8=ACCEPT", (6855, 9755), ""),
    ),
    *_rows(
        "IMAP",
        SHOULD,
        ("MULTIAPPEND", 3502, ""),
        ("REPLACE", 8508, "drafts saved without duplicates"),
        ("BINARY", 3516, ""),
        ("PARTIAL", 9394, ""),
        ("SORT=DISPLAY", 5957, ""),
        ("SEARCH=FUZZY", 6203, ""),
        ("MULTISEARCH", 7377, "all folders at once"),
        ("ACL", 4314, "with shared mailboxes"),
        ("METADATA", 5464, ""),
        ("NOTIFY", 5465, ""),
        ("SAVEDATE", 8514, ""),
        ("COMPRESS=DEFLATE", 4978, ""),
        ("UIDONLY", 9586, ""),
        ("UIDBATCHES", 10022, ""),
        ("MESSAGELIMIT", 9738, ""),
        ("JMAPACCESS", 9698, "with JMAP"),
    ),
    *_rows(
        "IMAP",
        LATER,
        ("CATENATE", 4469, ""),
        ("CONTEXT=SEARCH", 5267, ""),
        ("LIST-MYRIGHTS", 8440, ""),
        ("LIST-METADATA", 9590, ""),
        ("UNAUTHENTICATE", 8437, "for proxies"),
        ("INPROGRESS", 9585, ""),
        ("IMAPSIEVE", 6785, ""),
    ),
    *_rows(
        "IMAP",
        NOT,
        ("ANNOTATE", 5257, "experimental, no clients"),
        ("URLAUTH", 4467, "Cyrus removed it"),
        ("CONVERT", 5259, "nobody ships it"),
        ("FILTERS", 5466, "nobody ships it"),
        ("LANGUAGE", 5255, "nobody ships it"),
    ),
    *_rows(
        "SMTP",
        MUST,
        ("SIZE", 1870, ""),
        ("PIPELINING", 2920, ""),
        ("8BITMIME", 6152, ""),
        ("ENHANCEDSTATUSCODES", 2034, ""),
        ("STARTTLS", (3207, 8314), "and TLS from the start on port 465"),
        ("SMTPUTF8", 6531, ""),
        ("CHUNKING", 3030, ""),
        ("DSN", 3461, "offered to our users, on submission"),
        ("FUTURERELEASE", 4865, "the queue can hold"),
    ),
    *_rows(
        "SMTP",
        SHOULD,
        ("LIMITS", 9422, ""),
        ("REQUIRETLS", 8689, "the core knows it; the queue must keep the promise first"),
        ("LMTP", 2033, ""),
    ),
    *_rows(
        "SMTP",
        LATER,
        ("BINARYMIME", 3030, ""),
        ("DELIVERBY", 2852, ""),
        ("MT-PRIORITY", 6710, ""),
    ),
    *_rows("SMTP", NOT, ("BURL", 4468, ""), ("NO-SOLICITING", 3865, "")),
    *_rows(
        "POP3",
        MUST,
        ("TOP", 1939, ""),
        ("UIDL", 1939, ""),
        ("USER", 1939, "under TLS"),
        ("SASL", 5034, ""),
        ("STLS", 2595, ""),
        ("PIPELINING", 2449, ""),
        ("RESP-CODES", 2449, ""),
        ("AUTH-RESP-CODE", 3206, ""),
    ),
    *_rows("POP3", SHOULD, ("EXPIRE", 2449, "NEVER"), ("UTF8", 6856, "")),
    *_rows("POP3", LATER, ("LOGIN-DELAY", 2449, ""), ("IMPLEMENTATION", 2449, "")),
    *_rows("POP3", NOT, ("APOP", 1939, "needs secrets that can be read back")),
    *_rows(
        "SASL",
        MUST,
        ("PLAIN", 4616, "under TLS"),
        ("LOGIN", 4954, "on submission, under TLS; never standardised"),
        ("SCRAM-SHA-256", 7677, "app passwords"),
        ("OAUTHBEARER", 7628, ""),
    ),
    *_rows("SASL", SHOULD, ("EXTERNAL", 4422, "client certificates"), ("XOAUTH2", 7628, "")),
    *_rows(
        "SASL",
        LATER,
        (
            "SCRAM-SHA-256-PLUS",
            9266,
            "when Python's ssl offers tls-exporter ([decision 3](decisions/0003-no-scram-plus.md))",
        ),
    ),
    *_rows("SASL", NOT, ("CRAM-MD5", 2195, "needs secrets that can be read back"), ("GSSAPI", 4752, "")),
]


BESIDE: list[tuple[str, tuple[int, ...], str, str, str]] = [
    ("DKIM: signing, RSA and Ed25519", (6376, 8463), MUST, "done", "keys of a new month are made by hand"),
    ("DKIM: verifying", (6376,), MUST, "partly", "built, and asked by nobody yet"),
    ("SPF", (7208,), MUST, "partly", "built, and asked by nobody yet"),
    ("DMARC", (9989,), MUST, "partly", "built, and asked by nobody yet; reports are not begun"),
    (
        "Authentication-Results",
        (8601,),
        MUST,
        "partly",
        "read, written and found where forged; not yet put into messages",
    ),
    (
        "ARC: verifying",
        (8617,),
        SHOULD,
        "partly",
        "built, and asked by nobody yet; sealing is not pursued: it is on its way to historic",
    ),
    ("MTA-STS: our own policy", (8461,), MUST, "done", ""),
    ("MTA-STS: those of others", (8461,), MUST, "not begun", ""),
    ("DANE for SMTP", (7672,), SHOULD, "not begun", "the TLSA record of our own host is printed"),
    ("TLS reports", (8460,), SHOULD, "not begun", "the record that asks for them is printed"),
    ("Delivery status notifications", (3464, 6533), MUST, "done", ""),
    ("JMAP: core and mail", (8620, 8621), SHOULD, "not begun", ""),
    ("Sieve, vacation", (5228, 5230), MUST, "not begun", ""),
    ("ManageSieve", (5804,), SHOULD, "not begun", ""),
    ("ACME", (8555,), MUST, "not begun", "certificates are read from files, and renewed without a drop"),
]
"""What servers do that no greeting tells: name, RFCs, goal, status, note."""


def numbers() -> Iterator[int]:
    """Yield the numbers of all RFCs that the chapter names."""
    for extension in EXTENSIONS:
        yield from extension.rfc
    for _, rfcs, *_ in BESIDE:
        yield from rfcs


def announced() -> dict[str, set[str]]:
    """Return the words that each protocol's core announces, before and after TLS and login, by protocol."""
    smtp = Offer("localhost", starttls=True, auth=("LOGIN", *Door.mechanisms), dsn=True)
    greetings = [line for tls in (False, True) for line in hello_reply(smtp, tls=tls, extended=True).lines]
    told = [line.split() for line in greetings]
    return {
        "IMAP": {word.partition("=")[0] if "APPENDLIMIT" in word else word for word in _imap()},
        "SMTP": {words[0] for words in told},
        "POP3": {line.split()[0] for line in _pop3()},
        "SASL": {name for words in told if words[0] == "AUTH" for name in words[1:]},
    }


def _imap() -> set[str]:
    options = SimpleNamespace(append_limit=1)
    words: set[bytes] = set()
    for principal, is_open in ((None, False), (None, True), (object(), True)):
        door = SimpleNamespace(is_open=lambda _, is_open=is_open: is_open, mechanisms=Door.mechanisms)
        connection = SimpleNamespace(tls_offered=not is_open)
        services = SimpleNamespace(door=door, options=options)
        session: Any = SimpleNamespace(principal=principal, connection=connection, services=services)
        words.update(capabilities(session))
    return {word.decode() for word in words}


def _pop3() -> Iterator[str]:
    for offer in (pop3.Offer(starttls=True), pop3.Offer(login_without_tls=True, mechanisms=Door.mechanisms)):
        connection = pop3.ServerConnection(offer)
        connection.receive_data(b"CAPA\r\n")
        list(connection.events())
        yield from connection.data_to_send().decode().splitlines()[1:-1]


def standing(extension: Extension, words: dict[str, set[str]]) -> str:
    """Return how far an extension is built, by what is announced."""
    if extension.name in words[extension.protocol]:
        return "done"
    return "" if extension.goal == NOT else "not begun"


def chapters(link: str) -> str:
    """Return the chapter. `link` makes an RFC's link from its number."""
    words = announced()
    text = []
    for protocol in words:
        rows = [extension for extension in EXTENSIONS if extension.protocol == protocol]
        text.append(f"\n### {protocol}\n\n| extension | RFC | goal | status | note |\n|--|--|--|--|--|\n")
        for row in rows:
            numbers = ", ".join(link.format(number) for number in row.rfc)
            text.append(f"| {row.name} | {numbers} | {row.goal} | {standing(row, words)} | {row.note} |\n")
    text.append("\n### Beside them\n\n| what | RFC | goal | status | note |\n|--|--|--|--|--|\n")
    for name, rfcs, goal, status, note in BESIDE:
        text.append(f"| {name} | {', '.join(map(link.format, rfcs))} | {goal} | {status} | {note} |\n")
    return "".join(text)
