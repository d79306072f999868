"""What a mail program would read from the answers of a domain: servers, from XML and JSON, within bounds."""

from __future__ import annotations

__all__ = ["MAX_ANSWER", "read_pacc", "read_servers"]

import json
from collections.abc import Sequence
from typing import Final
from xml.parsers import expat

MAX_ANSWER: Final = 64 * 1024
"""Octets of an answer."""

_MAX_SERVERS = 20
_MAX_DEPTH = 12
_MAX_TEXT = 200
_SERVERS = frozenset({"incomingServer", "outgoingServer", "Protocol"})
_TOLD = (("hostname", "Server"), ("port", "Port"), ("socketType", "Encryption"))


class _Unreadable(Exception):
    """It has a document type, or is too deep."""


def read_servers(octets: bytes) -> Sequence[str]:
    """Return the servers that a document of autoconfig or Autodiscover names, each in a line; none if it names none."""
    reader = _Reader()
    try:
        reader.parser.Parse(octets[:MAX_ANSWER], True)
    except (expat.ExpatError, ValueError, LookupError, _Unreadable):
        return ()
    return reader.lines()


def read_pacc(octets: bytes) -> Sequence[str]:
    """Return what a document of PACC names, each in a line."""
    try:
        document = json.loads(octets[:MAX_ANSWER])
    except (ValueError, RecursionError):
        return ()
    protocols = document.get("protocols") if isinstance(document, dict) else None
    if not isinstance(protocols, dict):
        return ()
    found = [(name, of.get("host") or of.get("url")) for name, of in protocols.items() if isinstance(of, dict)]
    return [f"{_clean(str(name))} {_clean(str(where))}" for name, where in found[:_MAX_SERVERS] if where]


class _Reader:
    def __init__(self) -> None:
        self.servers: list[dict[str, str]] = []
        self._path: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def lines(self) -> Sequence[str]:
        told = []
        for server in self.servers:
            words = [server.get("type", server.get("Type", "")).lower()]
            words += [server.get(one, server.get(other, "")) for one, other in _TOLD]
            if words[0] and words[1]:
                told.append(" ".join(filter(None, map(_clean, words))))
        return told

    def _refuse(self, *_: object) -> None:
        raise _Unreadable

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) > _MAX_DEPTH:
            raise _Unreadable
        if self._path[-1] in _SERVERS and len(self.servers) < _MAX_SERVERS:
            self.servers.append({"type": attributes["type"]} if "type" in attributes else {})

    def _end(self, _: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        if self.servers and len(self._path) > 1 and self._path[-2] in _SERVERS:
            known = self.servers[-1]
            known[self._path[-1]] = known.get(self._path[-1], "") + text.strip()


def _clean(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:_MAX_TEXT]
