"""A few letters that name a configuration: pages made from one say which it was."""

from __future__ import annotations

__all__ = ["fingerprint"]

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from hongyan.config import Config

_LENGTH = 12
_SECRET = frozenset({"dsn"})  # may hold a password


def fingerprint(config: Config) -> str:
    """Return twelve hexadecimal digits: the same for the same settings, whatever their order in the file.

    No secret goes into them.
    """
    return hashlib.sha256(json.dumps(_plain(config), sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _plain(value: object) -> object:
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(of) for name, of in named.items() if name not in _SECRET}
    if isinstance(value, Mapping):
        return {str(name): _plain(of) for name, of in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(of) for of in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)  # a Secret prints as a mask
