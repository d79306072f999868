"""The parts of a message whose header nobody has read yet."""

from __future__ import annotations

__all__ = ["read_parts"]

from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.message.part_header import MESSAGE_FIELDS
from hongyan.message.parts import Part, scan_body


def read_parts(served: bytes) -> list[Part]:
    """Return all parts, as `scan_body` does."""
    body_start = find_body(served, 0, len(served))
    return scan_body(served, body_start, pick_fields(split_fields(served[:body_start]), MESSAGE_FIELDS)[0])
