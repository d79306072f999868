"""Connects to our own ports as others do, and to port 25 of others: facts about what a firewall lets through."""

from __future__ import annotations

__all__ = ["PortFacts", "Reach", "has_way_out", "probe_port"]

import asyncio
import contextlib
import errno
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hongyan.mailauth.resolver import DnsFault, IPAddress, Resolver

_SMTP_PORT = 25
_LONGEST_LINE = 4096  # octets
_MOST_LINES = 100

_TLS_FIRST = frozenset({"submissions", "imaps", "pop3s", "https"})
_HTTP = frozenset({"http", "https"})

# The last line of an answer; anything else that a stranger may say ends the first.
_OF_SMTP = re.compile(rb"(?![0-9]{3}-)")
_OF_IMAP = re.compile(rb"(?!\* (?!OK|BYE|PREAUTH))")
_OF_POP3 = re.compile(rb"")
_LAST = {
    **dict.fromkeys(("smtp", "submission", "submissions"), _OF_SMTP),
    **dict.fromkeys(("imap", "imaps"), _OF_IMAP),
    **dict.fromkeys(("pop3", "pop3s"), _OF_POP3),
}

_Steps = Sequence[tuple[bytes, bytes]]
_SMTP_STARTTLS: _Steps = ((b"EHLO localhost\r\n", b"250 "), (b"STARTTLS\r\n", b"220 "))
_UPGRADES: Mapping[str, _Steps] = {
    "smtp": _SMTP_STARTTLS,
    "submission": _SMTP_STARTTLS,
    "imap": ((b"a STARTTLS\r\n", b"a OK "),),
    "pop3": ((b"STLS\r\n", b"+OK"),),
}
"""What is said to begin TLS, and what the answer begins with if all is well (RFC 3207, RFC 2595)."""


class Reach(StrEnum):
    """How an attempt to connect ended."""

    ANSWERED = "answered"
    SILENT = "silent"
    """Nothing came back: what was sent was dropped on its way."""
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    """There is no way there from here."""


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What one of our ports showed. `tls_fault` is why TLS failed for our name, empty where it did not."""

    service: str
    address: IPAddress
    port: int
    reach: Reach
    greeting: bytes = b""
    tls_fault: str = ""
    lacks_starttls: bool = False
    """It greets, and does not begin TLS when it is asked to."""


async def probe_port(
    service: str, address: IPAddress, port: int, name: str, *, tls: ssl.SSLContext | None, patience: float
) -> PortFacts:
    """Connect, read the greeting, which HTTP has not, and begin TLS, at once or by STARTTLS. Raises nothing.

    Without `tls` the certificate is not looked at.
    """
    facts = PortFacts(service, address, port, Reach.ANSWERED)
    at_once = tls if service in _TLS_FIRST else None
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(
                str(address), port, ssl=at_once, server_hostname=name if at_once else None, limit=_LONGEST_LINE
            )
    except ssl.SSLError as error:
        return replace(facts, tls_fault=_why(error))
    except TimeoutError:
        return replace(facts, reach=Reach.SILENT)
    except OSError as error:
        refused = error.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
        return replace(facts, reach=Reach.REFUSED if refused else Reach.UNREACHABLE)
    try:
        if service in _HTTP:
            return facts
        facts = replace(facts, greeting=await _read_answer(reader, _LAST[service], patience))
        if tls is None or service not in _UPGRADES or not facts.greeting:
            return facts
        return await _upgrade(facts, reader, writer, name, tls, patience)
    finally:
        writer.close()


async def _upgrade(
    facts: PortFacts,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    name: str,
    tls: ssl.SSLContext,
    patience: float,
) -> PortFacts:
    for said, wanted in _UPGRADES[facts.service]:
        writer.write(said)
        if not (await _read_answer(reader, _LAST[facts.service], patience)).startswith(wanted):
            return replace(facts, lacks_starttls=True)
    try:
        async with asyncio.timeout(patience):
            await writer.start_tls(tls, server_hostname=name)
    except ssl.SSLError as error:
        return replace(facts, tls_fault=_why(error))
    except (OSError, TimeoutError):
        return replace(facts, lacks_starttls=True)
    return facts


async def _read_answer(reader: asyncio.StreamReader, last: re.Pattern[bytes], patience: float) -> bytes:
    """Return the last line of an answer, as `last` knows it; nothing if it does not come."""
    with contextlib.suppress(TimeoutError, OSError, ValueError):
        async with asyncio.timeout(patience):
            for _ in range(_MOST_LINES):
                line = await reader.readline()
                if not line or last.match(line):
                    return line.rstrip(b"\r\n")
    return b""


def _why(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", "") or error.reason or "no TLS")


async def has_way_out(resolver: Resolver, domains: Sequence[str], patience: float) -> bool:
    """Whether a mail server of any of these domains greets us on port 25."""
    for domain in domains:
        with contextlib.suppress(DnsFault):
            exchanges = sorted((await resolver.mx(domain)).records, key=lambda record: record.preference)
            if exchanges[0].exchange and await _greets(resolver, exchanges[0].exchange, patience):
                return True
    return False


async def _greets(resolver: Resolver, host: str, patience: float) -> bool:
    addresses = (await resolver.addresses(host, version=4)).records
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(str(addresses[0]), _SMTP_PORT)
            try:
                return (await reader.read(3)) == b"220"
            finally:
                writer.close()
    return False
