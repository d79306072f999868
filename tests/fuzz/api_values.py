"""Whatever a body holds becomes a value of its type or faults, each at a place that the body has; never both."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from hongyan.secret import Secret
from hongyan.web.api.values import Number, Text, decode_json, decode_parameter, decode_value, encode
from hongyan.web.problems import FieldFault, Problem


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    at: datetime
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True)
class Outer:
    name: Annotated[str, Text(1, 8)]
    number: Annotated[int, Number(0, 9)] | None = None
    secret: Secret | None = None
    inner: Inner | None = None
    many: list[Inner] | None = None
    words: list[Annotated[str, Text(0, 4)]] | None = None
    free: Mapping[str, object] | None = None
    is_on: bool = False


CORPUS: list[bytes] = [
    b'{"name": "x", "number": 3, "inner": {"at": "2026-11-23T08:00:00Z", "colour": "blue"}, "is_on": true}',
    b'{"name": "x", "many": [{"at": "2026-11-23T08:00:00+08:00"}, {}], "words": ["a", "bbbbb", 3]}',
    b'{"name": "\\ud800", "free": {"a": [1, {}]}, "secret": "s", "~/": 1}',
    b'{"name": "x", "name": "y"}',
    b'{"name": null, "number": true, "inner": [], "many": {}, "free": 1}',
    b'{"name": "x", "number": 1e400, "is_on": NaN}',
    b"[" * 3000,
    b"12345678901234567890",
    b"-0",
    b"true",
    "２".encode(),
]


def target(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    for kind in (int, bool, str, Colour, Annotated[int, Number(1, 9)], datetime):
        told: list[FieldFault] = []
        decode_parameter(kind, text, "x", told)
        assert all(fault.parameter == "x" for fault in told)
    try:
        document = decode_json(octets)
    except Problem:
        return
    faults: list[FieldFault] = []
    value = decode_value(Outer, document, "", faults)
    assert (value is None) == bool(faults)
    assert all(fault.pointer is not None and fault.detail for fault in faults)
    json.dumps([[fault.pointer, fault.detail] for fault in faults]).encode()
    if isinstance(value, Outer):
        assert 1 <= len(value.name) <= 8
        json.dumps(encode(value), allow_nan=False)
