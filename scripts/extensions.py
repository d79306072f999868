"""What servers of this kind offer, whether Hongyan means to, and whether it does: a chapter of docs/rfcs.md.

Goals are set by hand, after what Dovecot, Cyrus, Stalwart, mox, James, WildDuck and Postfix offer. Whether an
extension stands is not: it is read from what the protocol cores announce, so that the page cannot promise more
than EHLO, CAPABILITY and CAPA do. What nobody announces (`BESIDE`) has its status by hand.
"""

from __future__ import annotations

__all__ = ["BESIDE", "EXTENSIONS", "Extension", "announced", "chapters", "numbers", "standing"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hongyan.servers.imap.capabilities import capabilities
from hongyan.servers.sasl import Door
from hongyan.wire.pop3.offer import Offer as Pop3Offer
from hongyan.wire.pop3.server import ServerConnection
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
        ("QRESYNC", 7162, "what left is known for ever"),
        ("LITERAL+", 7888, "LITERAL- before login"),
        ("SASL-IR", 4959, ""),
        ("APPENDLIMIT", 7889, ""),
        ("ESEARCH", 4731, ""),
        ("SEARCHRES", 5182, ""),
        ("SORT", 5256, ""),
        ("THREAD=REFERENCES", 5256, ""),
        ("WITHIN", 5032, ""),
        ("LIST-EXTENDED", 5258, ""),
        ("LIST-STATUS", 5819, ""),
        ("SPECIAL-USE", 6154, "with CREATE-SPECIAL-USE"),
        ("STATUS=SIZE", 8438, ""),
        ("QUOTA", 9208, "storage, messages, mailboxes; SETQUOTA by administrators"),
        ("QUOTASET", 9208, "announced to all; administrators set limits"),
        ("OBJECTID", 8474, ""),
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
        ("ESORT", 5267, ""),
        ("THREAD=ORDEREDSUBJECT", 5256, ""),
        ("THREAD=REFS", 5256, "by the newest message, as a draft and Dovecot have it"),
        ("SEARCH=FUZZY", 6203, ""),
        ("MULTISEARCH", 7377, "all folders at once"),
        ("ACL", 4314, "with shared mailboxes"),
        ("METADATA", 5464, "of mailboxes and of the server"),
        ("NOTIFY", 5465, ""),
        ("SAVEDATE", 8514, ""),
        ("COMPRESS=DEFLATE", 4978, ""),
        ("UIDONLY", 9586, ""),
        ("UIDBATCHES", 10022, ""),
        ("MESSAGELIMIT", 9738, "where an operator sets a limit; there is none unless set"),
        ("SAVELIMIT", 9738, "the same"),
        ("JMAPACCESS", 9698, "where the web has a name"),
    ),
    *_rows(
        "IMAP",
        LATER,
        ("CATENATE", 4469, "Horde sends it where it is announced"),
        (
            "CONTEXT=SEARCH",
            5267,
            "Horde asks for its PARTIAL alone, which stands (RFC 9394); no client asks for UPDATE",
        ),
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
        ("FUTURERELEASE", 4865, "on submission; `hongyan queue cancel` takes a message back"),
    ),
    *_rows(
        "SMTP",
        SHOULD,
        ("LIMITS", 9422, ""),
        ("REQUIRETLS", 8689, ""),
        ("LMTP", 2033, ""),
        ("XVERP", (), "on submission; of Postfix: a return path for each recipient"),
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
    *_rows(
        "POP3", SHOULD, ("EXPIRE", 2449, "as it is set for the account"), ("UTF8", 6856, ""), ("LANG", 6856, "English")
    ),
    *_rows("POP3", LATER, ("LOGIN-DELAY", 2449, "where the operator asks for it"), ("IMPLEMENTATION", 2449, "")),
    *_rows("POP3", NOT, ("APOP", 1939, "needs secrets that can be read back")),
    *_rows(
        "SASL",
        MUST,
        ("PLAIN", 4616, "under TLS"),
        ("LOGIN", 4954, "on submission, under TLS; never standardised"),
        ("SCRAM-SHA-256", 7677, "app passwords"),
        ("OAUTHBEARER", 7628, ""),
    ),
    *_rows("SASL", SHOULD, ("EXTERNAL", 4422, "client certificates, on ports of their own"), ("XOAUTH2", 7628, "")),
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
    ("DKIM: signing, RSA and Ed25519", (6376, 8463), MUST, "done", "keys rotate by themselves"),
    ("DKIM: verifying", (6376, 8463), MUST, "done", ""),
    ("SPF", (7208,), MUST, "done", ""),
    ("DMARC", (9989,), MUST, "partly", "found out and enforced; reports are not begun"),
    ("Authentication-Results", (8601,), MUST, "done", "forged ones are not served"),
    ("ARC: verifying", (8617,), SHOULD, "done", "sealing is not pursued: it is on its way to historic"),
    ("MTA-STS: our own policy", (8461,), MUST, "done", ""),
    ("MTA-STS: those of others", (8461,), MUST, "done", ""),
    ("DANE for SMTP", (7672,), SHOULD, "done", "both ways: the TLSA record of our own host is printed"),
    ("TLS reports", (8460,), SHOULD, "not begun", "the record that asks for them is printed"),
    ("Delivery status notifications", (3464, 6533), MUST, "done", ""),
    ("JMAP: core and mail", (8620, 8621), SHOULD, "done", "each login has its own account alone"),
    ("JMAP: Web Push with VAPID", (8620, 8291, 9749), SHOULD, "done", ""),
    ("Sieve, vacation", (5228, 5230), MUST, "not begun", ""),
    ("ManageSieve", (5804,), SHOULD, "not begun", ""),
    ("ACME", (8555,), MUST, "done", "HTTP-01 and DNS-01, renewed when the authority wants it"),
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
    smtp = Offer(
        "localhost",
        starttls=True,
        auth=("LOGIN", "EXTERNAL", *Door.mechanisms),
        dsn=True,
        requiretls=True,
        verp=True,
        future_release=1,
        future_release_until=datetime.now(UTC),
    )
    greetings = [line for tls in (False, True) for line in hello_reply(smtp, tls=tls, extended=True).lines]
    told = [line.split() for line in greetings]
    return {
        "IMAP": {word.partition("=")[0] if "LIMIT=" in word else word for word in _imap()},
        "SMTP": {words[0] for words in told},
        "POP3": {line.split()[0] for line in _pop3()},
        "SASL": {name for words in told if words[0] == "AUTH" for name in words[1:]},
    }


def _imap() -> set[str]:
    words: set[bytes] = set()
    member = SimpleNamespace(ends_at=None)
    for principal, is_open, limit in ((None, False, 0), (None, True, 0), (member, True, 0), (member, True, 1)):
        options = SimpleNamespace(append_limit=1, message_limit=limit, save_limit=1 - limit)
        door = SimpleNamespace(
            is_open=lambda _, is_open=is_open: is_open, mechanisms_for=lambda _: ("EXTERNAL", *Door.mechanisms)
        )
        connection = SimpleNamespace(tls_offered=not is_open)
        services = SimpleNamespace(door=door, options=options, index=object(), jmap_url="https://mail.example.org")
        session: Any = SimpleNamespace(
            principal=principal, is_compressed=False, switched_off=frozenset(), connection=connection, services=services
        )
        words.update(capabilities(session))
    return {word.decode() for word in words}


def _pop3() -> Iterator[str]:
    for offer in (
        Pop3Offer(starttls=True, login_delay=1),
        Pop3Offer(login_without_tls=True, mechanisms=Door.mechanisms),
    ):
        connection = ServerConnection(offer)
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
