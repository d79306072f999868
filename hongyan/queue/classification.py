"""What kind of refusal was it? A bounce's class, from its codes and its words. Pure.

The same code means different things at different servers, and the same thing has many wordings. An exact enhanced
code (RFC 3463, and the registry of RFC 5248) is believed first where servers use it with care; then what the text
says in phrases that many servers share; then codes that are used for everything; then the stage. Addresses and links
are taken out of the text before it is read: they are the sender's own words coming back.

Only a permanent answer can be `is_hard`: "user unknown" with a 4yz code may be a server that lost its directory.
"""

from __future__ import annotations

__all__ = ["MAX_READ", "BounceClass", "classify"]

import re
from enum import Enum
from typing import Final, Self

from hongyan.queue.outcome import Stage

MAX_READ: Final = 1000
"""Characters of an answer that are read."""


class BounceClass(Enum):
    """Why a recipient was refused or put off. The value is the name in lists, metrics and the API."""

    UNKNOWN_USER = "unknown-user", True, True, False
    """No such mailbox, or one that was closed."""
    UNKNOWN_DOMAIN = "unknown-domain", True, True, False
    """The domain does not exist, or takes no mail at all."""
    FULL = "full", False, True, False
    """The recipient's mailbox is full."""
    BLOCKED = "blocked", False, False, True
    """The receiving side's policy is against our address, our domain or the sender."""
    SPAM = "spam", False, False, True
    """The message or its sender was taken for spam."""
    UNAUTHENTICATED = "unauthenticated", False, False, True
    """SPF, DKIM, DMARC, the reverse name of our address."""
    GREYLISTED = "greylisted", False, False, False
    """Put off because we are new to each other: the next try will do."""
    RATE_LIMITED = "rate-limited", False, False, True
    """Too much at a time, from us or for the recipient."""
    TOO_LARGE = "too-large", False, False, False
    """The message is larger than the server or the recipient takes."""
    CONTENT = "content", False, False, False
    """A form or a part of the message: a virus, an attachment, a malformed header."""
    ROUTE = "route", False, False, False
    """DNS, no connection, a loop."""
    TLS = "tls", False, False, False
    """No encryption as it was wanted by one side."""
    TEMPORARY = "temporary", False, False, False
    """Put off for no reason that is known."""
    OTHER = "other", False, False, False
    """Refused for no reason that is known."""

    is_hard: bool
    """The address will bounce again: nothing that the sender, or we, can change helps. It counts for suppression."""
    is_about_recipient: bool
    """It says something of the recipient's address."""
    is_about_us: bool
    """It says something of our reputation or configuration, or of the sender's conduct."""

    def __new__(cls, word: str, hard: bool, recipient: bool, us: bool) -> Self:
        self = object.__new__(cls)
        self._value_ = word
        self.is_hard = hard
        self.is_about_recipient = recipient
        self.is_about_us = us
        return self


def classify(code: int | None, enhanced: str, text: str, stage: Stage) -> BounceClass:
    """Return the class of an answer that did not take the recipient.

    `code` is the reply code, None if nobody replied; `enhanced` the status code, "" if there was none.
    """
    is_permanent = enhanced.startswith("5") if enhanced else code is not None and code >= 500
    detail = enhanced.partition(".")[2]
    words = _own_words(text)
    found = (
        _EXACT.get(detail)
        or _by_words(words)
        or _LOOSE.get(detail)
        or _by_code(code, stage)
        or _LOOSE.get(f"{detail.partition('.')[0]}.*")
        or (BounceClass.OTHER if is_permanent else BounceClass.TEMPORARY)
    )
    return BounceClass.TEMPORARY if found.is_hard and not is_permanent else found


def _own_words(text: str) -> str:
    """Return the server's own words: a recipient named spam@… makes no refusal one for spam."""
    words = text[:MAX_READ].casefold().split()
    return " ".join(word for word in words if "@" not in word and "://" not in word)


_EXACT: Final = {
    "1.1": BounceClass.UNKNOWN_USER,
    "1.2": BounceClass.UNKNOWN_DOMAIN,
    "1.3": BounceClass.UNKNOWN_USER,
    "1.6": BounceClass.UNKNOWN_USER,
    "1.10": BounceClass.UNKNOWN_DOMAIN,
    "2.2": BounceClass.FULL,
    "2.3": BounceClass.TOO_LARGE,
    "3.4": BounceClass.TOO_LARGE,
    "4.3": BounceClass.ROUTE,
    "4.4": BounceClass.ROUTE,
    "4.6": BounceClass.ROUTE,
    "6.7": BounceClass.CONTENT,
    "7.10": BounceClass.TLS,
    "7.20": BounceClass.UNAUTHENTICATED,
    "7.21": BounceClass.UNAUTHENTICATED,
    "7.22": BounceClass.UNAUTHENTICATED,
    "7.23": BounceClass.UNAUTHENTICATED,
    "7.24": BounceClass.UNAUTHENTICATED,
    "7.25": BounceClass.UNAUTHENTICATED,
    "7.26": BounceClass.UNAUTHENTICATED,
    "7.27": BounceClass.UNAUTHENTICATED,
    "7.28": BounceClass.RATE_LIMITED,
    "7.29": BounceClass.UNAUTHENTICATED,
    "7.30": BounceClass.TLS,
}
"""By subject and detail: codes whose users mean what the registry says."""

_LOOSE: Final = {
    "1.7": BounceClass.BLOCKED,
    "1.8": BounceClass.BLOCKED,
    "2.1": BounceClass.UNKNOWN_USER,
    "4.1": BounceClass.ROUTE,
    "4.2": BounceClass.ROUTE,
    "4.5": BounceClass.RATE_LIMITED,
    "5.3": BounceClass.RATE_LIMITED,
    "7.4": BounceClass.TLS,
    "7.5": BounceClass.TLS,
    "7.8": BounceClass.TLS,
    "6.*": BounceClass.CONTENT,
    "7.*": BounceClass.BLOCKED,
}
"""Codes that are also used for other things than they say: the text is read first. A star is any detail."""

_WORDS: Final = {
    BounceClass.GREYLISTED: r"""
        gr[ae]y ?-?list|postgrey|first contact
        try again in \d{1,4} sec|retry later for (?:better|improved) service
    """,
    BounceClass.UNAUTHENTICATED: r"""
        \b(?:spf|dkim|dmarc|sender id|mi:spf|mi:dmc)\b|unauthenticated|not authenticated
        reverse dns|ptr record|rdns|cannot find your (?:reverse )?hostname|helo (?:command )?rejected
    """,
    BounceClass.RATE_LIMITED: r"""
        rate ?-?limit|receiving mail (?:at a rate|too quickly)|too much mail|unusual rate|slow down|throttl
        frequen(?:cy|t)|too many (?:connections|messages|mails|emails|recipients|sessions|concurrent)
        exceeded the (?:rate|maximum number)|deferred due to (?:user complaints|unexpected volume)
        mi:(?:sfq|scn)|\bmaxconn
    """,
    BounceClass.FULL: r"""
        mailbox (?:is )?(?:almost )?full|account is full|storage limit|out of (?:storage|space)
        quota (?:is )?exceeded|over ?-?quota|exceed(?:s|ed)? (?:the |its |his )?(?:storage|mailbox|quota)
        insufficient (?:mailbox|disk) (?:storage|space|quota)
    """,
    BounceClass.TOO_LARGE: r"""
        (?:message|mail|size|content|data)(?: file)?(?: size)? (?:is )?(?:too (?:large|big)|exceeds)
        maximum (?:message )?size|size limit
    """,
    BounceClass.UNKNOWN_DOMAIN: r"""
        (?:host|domain)(?: name)? (?:not found|unknown|does not exist)|no such domain|unrout(?:e)?able address
    """,
    BounceClass.UNKNOWN_USER: r"""
        (?:user|recipient|mailbox|account|address|local part)s? (?:is )?(?:unknown|not (?:found|exist|known)|invalid)
        (?:user|recipient|mailbox|account|address|person) (?:doesn't|does not) exist|not available here
        (?:user|recipient|mailbox|account|address) (?:is |has been |was )?(?:disabled|inactive|closed|expired)
        (?:unknown|invalid|no such|non-?existent|inactive|bad) (?:user|recipient|mailbox|account|address|person)
        (?:unknown|no such) (?:virtual user|local part)|no mailbox here|recipient address rejected: user
        not a valid (?:mailbox|recipient|user)|no (?:one|body) here by that name
        account that you tried to reach (?:does not exist|is (?:disabled|inactive))
    """,
    BounceClass.CONTENT: r"""
        virus|malware|infected|attachment|banned file|bare lf|bare newline|malformed|line too long|8-?bit|multiple from
        missing (?:header|from|date|message-id)|header (?:field )?(?:error|missing|invalid)
        content (?:rejected|not accepted)
    """,
    BounceClass.SPAM: r"""
        \bspam\b|\bspammy\b|\bspammer|\bjunk\b|\bbulk\b|\buce\b|unsolicited|dt:spm|suspicious (?:content|message)|phish
    """,
    BounceClass.BLOCKED: r"""
        black ?-?list|block ?-?list|\bblock(?:ed)?\b|\bdenied\b|banned|not allowed|policy|prohibited|suspected
        \brbl\b|dnsbl|spamhaus|spamcop|barracuda|reputation|bad ip|dynamic ip|listed (?:in|at|by|on)
        relaying (?:denied|not)
    """,
    BounceClass.TLS: r"starttls|\btls\b|\bssl\b|encryption (?:is )?(?:needed|required)",
}
"""In the order in which they are looked for; each line holds alternatives."""

_PATTERNS: Final = tuple(
    (kind, re.compile("|".join(line.strip() for line in words.strip().splitlines()))) for kind, words in _WORDS.items()
)
"""Alternatives of plain words: nothing in them repeats without a bound, and the text is bounded too."""


def _by_words(words: str) -> BounceClass | None:
    for kind, pattern in _PATTERNS:
        if pattern.search(words):
            return kind
    return None


def _by_code(code: int | None, stage: Stage) -> BounceClass | None:
    """Judge by what the code means at its stage (RFC 5321 §4.2.3)."""
    if code is None:
        return {Stage.ROUTE: BounceClass.ROUTE, Stage.CONNECT: BounceClass.ROUTE, Stage.TLS: BounceClass.TLS}.get(stage)
    if code == 552:
        return BounceClass.FULL if stage is Stage.RECIPIENT else BounceClass.TOO_LARGE
    if code in (452, 451, 450, 421):
        return BounceClass.TEMPORARY
    if code >= 500 and stage in (Stage.GREETING, Stage.HELLO, Stage.MAIL):
        return BounceClass.BLOCKED
    return None
