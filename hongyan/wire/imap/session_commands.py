"""Commands about the session itself: login, capabilities, who the client is (RFC 9051 §6.1, §6.2)."""

from __future__ import annotations

__all__ = ["read_authenticate", "read_compress", "read_enable", "read_id", "read_login"]

import re

from hongyan.secret import Secret
from hongyan.wire.imap.commands import Authenticate, Compress, Enable, Id, Login
from hongyan.wire.imap.cursor import Cursor

MAX_ID_FIELDS = 30
MAX_CAPABILITIES = 100

_BASE64 = re.compile(rb"=|[A-Za-z0-9+/]+={0,2}")


def read_authenticate(cursor: Cursor, tag: bytes) -> Authenticate:
    # authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)
    # initial-resp = (base64 / "=")
    cursor.space()
    mechanism = cursor.read_word().decode("ascii")
    response = None
    if cursor.take(b" "):
        match = _BASE64.match(cursor.octets, cursor.at)
        if not match:
            cursor.fail("An initial response is in base64")
        response = match[0]
        cursor.at = match.end()
    cursor.end()
    return Authenticate(tag, mechanism, response)


def read_login(cursor: Cursor, tag: bytes) -> Login:
    # login = "LOGIN" SP userid SP password
    cursor.space()
    userid = cursor.read_text()
    cursor.space()
    password = cursor.read_astring()
    cursor.end()
    return Login(tag, userid, Secret(password))


def read_id(cursor: Cursor, tag: bytes) -> Id:
    # id             = "ID" SP id-params-list
    # id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
    cursor.space()
    fields: dict[str, str | None] = {}
    if cursor.octets[cursor.at :].upper() == b"NIL":
        return Id(tag, fields)
    cursor.require(b"(", "The fields of ID stand in parentheses")
    if not cursor.take(b")"):
        _read_id_field(cursor, fields)
        while cursor.take(b" "):
            _read_id_field(cursor, fields)
        cursor.require(b")", "The fields of ID stand in parentheses")
    cursor.end()
    return Id(tag, fields)


def _read_id_field(cursor: Cursor, fields: dict[str, str | None]) -> None:
    name = cursor.read_string().decode("utf-8", "replace").lower()
    cursor.space()
    value = cursor.read_nstring()
    fields[name] = None if value is None else value.decode("utf-8", "replace")
    if len(fields) > MAX_ID_FIELDS:
        cursor.fail(f"ID has at most {MAX_ID_FIELDS} fields")  # RFC 2971 §3.3


def read_compress(cursor: Cursor, tag: bytes) -> Compress:
    # compress  = "COMPRESS" SP algorithm
    # algorithm = "DEFLATE"
    cursor.space()
    algorithm = cursor.read_word().decode("ascii")
    cursor.end()
    return Compress(tag, algorithm)


def read_enable(cursor: Cursor, tag: bytes) -> Enable:
    # enable = "ENABLE" 1*(SP capability)
    capabilities: dict[str, None] = {}
    cursor.space()
    capabilities[cursor.read_word().decode("ascii")] = None
    while cursor.take(b" "):
        capabilities[cursor.read_word().decode("ascii")] = None
        if len(capabilities) > MAX_CAPABILITIES:
            cursor.fail(f"ENABLE names at most {MAX_CAPABILITIES} capabilities")
    cursor.end()
    return Enable(tag, tuple(capabilities))
