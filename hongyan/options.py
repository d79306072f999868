"""Settings that document themselves: each is declared once, by the module that obeys it.

A section of the configuration is a frozen, slotted dataclass whose fields are made by `option`:

    @dataclass(frozen=True, slots=True)
    class Bans:
        failures: int = option(500, "Failed logins from one address that are let pass.", unit="per hour")

The field's sentence and unit travel in its metadata. The configuration file, its commented
example and the reference page are made from them (`describe`), and the test suite holds every
section to it. Limits of a value belong in the section's `__post_init__`.
"""

from __future__ import annotations

__all__ = ["Option", "describe", "option"]

import copy
import dataclasses
import functools
import typing
from typing import TypeVar

Value = TypeVar("Value")

_DOC = "doc"
_UNIT = "unit"


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One setting, as the reference page shows it. `doc` is empty for a plain field: the suite refuses that."""

    name: str
    kind: object
    default: object
    doc: str
    unit: str | None


def option(default: Value, doc: str, *, unit: str | None = None) -> Value:
    """Return a dataclass field with its default, one sentence for the operator and the unit of its values.

    The return type is that of the default, as with `dataclasses.field`: a type checker sees a
    field of type `Value`. Lists, dictionaries and sets are copied for each section made.
    """
    metadata = {_DOC: _sentence(doc), _UNIT: unit}
    if isinstance(default, (list, dict, set)):
        return dataclasses.field(default_factory=functools.partial(copy.copy, default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def describe(section: type) -> tuple[Option, ...]:
    """Return the options of a section in the order of their declaration."""
    kinds = typing.get_type_hints(section)
    return tuple(_describe_field(field, kinds[field.name]) for field in dataclasses.fields(section))


def _describe_field(field: dataclasses.Field[object], kind: object) -> Option:
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return Option(field.name, kind, default, field.metadata.get(_DOC, ""), field.metadata.get(_UNIT))


def _sentence(doc: str) -> str:
    if not doc.endswith((".", "?")):
        raise ValueError(f"an option is documented by a sentence, with its full stop: {doc!r}")
    return doc
