"""Values of the API: dataclasses from and to JSON, and their JSON Schema (2020-12). One declaration for all three.

What a request may hold is bounded by `Text` and `Number`, written beside the type: `Annotated[str, Text(1, 64)]`.
Everything that is wrong is found at once, each at its place.
"""

from __future__ import annotations

__all__ = ["Number", "Text", "decode_json", "decode_parameter", "decode_value", "encode", "schema_of"]

import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from hongyan.secret import Secret
from hongyan.web.problems import FieldFault, Problem

_MAX_ITEMS: Final = 200
_REF: Final = "#/components/schemas/"

Faults = list[FieldFault]
Schemas = dict[str, object]


@dataclass(frozen=True, slots=True)
class Text:
    """How long a text is, in characters, and what it is for."""

    least: int = 0
    most: int = 1000
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """Between what a number lies, both ends included, and what it is for."""

    least: int = 0
    most: int = (1 << 31) - 1
    doc: str = ""


def decode_json(octets: bytes) -> object:
    """Return what a body says. Raises `Problem` for what is not JSON, or says a name twice (RFC 8259 §4)."""
    try:
        return json.loads(octets.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "not-json", "The body is not valid JSON.") from None


def decode_value(kind: object, value: object, pointer: str, faults: Faults) -> object:
    """Return a value of a type from what JSON brought; what is wrong is added to the faults, by its pointer."""
    base, limits = _base(kind)
    if dataclasses.is_dataclass(base) and isinstance(base, type):
        return _decode_object(base, value, pointer, faults)
    arguments = typing.get_args(base)
    if _is_union(base):
        if value is None and type(None) in arguments:
            return None
        return decode_value(next(each for each in arguments if each is not type(None)), value, pointer, faults)
    if typing.get_origin(base) in (list, tuple, Sequence):
        return _decode_list(arguments[0], value, pointer, faults)
    if typing.get_origin(base) in (dict, Mapping):
        if not isinstance(value, dict):
            faults.append(FieldFault("Give an object.", pointer))
        return value
    decoded, sentence = _decode_plain(base, limits, value)
    if sentence:
        faults.append(FieldFault(sentence, pointer))
    return decoded


def decode_parameter(kind: object, text: str, name: str, faults: Faults) -> object:
    """Return the value of a parameter in the path or the query."""
    base, limits = _base(kind)
    if _is_union(base):
        base, inner = _base(next(each for each in typing.get_args(base) if each is not type(None)))
        limits = limits or inner
    value: object = text
    if base is int and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
        value = int(text)
    elif base is bool and text in ("true", "false"):
        value = text == "true"
    decoded, sentence = _decode_plain(base, limits, value)
    if sentence:
        faults.append(FieldFault(sentence, parameter=name))
    return decoded


def encode(value: object) -> object:
    """Return a value as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    match value:
        case Secret():
            return value.reveal_text()
        case StrEnum():
            return value.value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Mapping():
            return {str(key): encode(each) for key, each in value.items()}
        case list() | tuple() | frozenset() | set():
            return [encode(each) for each in value]
        case _:
            return value


def schema_of(kind: object, schemas: Schemas) -> dict[str, object]:
    """Return the schema of a type; those of dataclasses are put into `schemas`, by their names."""
    base, limits = _base(kind)
    arguments = typing.get_args(base)
    if dataclasses.is_dataclass(base) and isinstance(base, type):
        _describe_object(base, schemas)
        return {"$ref": f"{_REF}{base.__name__}"}
    if _is_union(base):
        inner = next(each for each in arguments if each is not type(None))
        return {"anyOf": [schema_of(inner, schemas), {"type": "null"}]}
    if typing.get_origin(base) in (list, tuple, Sequence):
        return {"type": "array", "items": schema_of(arguments[0], schemas)}
    if base is object:
        return {}
    if typing.get_origin(base) in (dict, Mapping):
        return {"type": "object"}
    return _plain_schema(base, limits)


# -- objects and lists


def _decode_object(kind: type, value: object, pointer: str, faults: Faults) -> object:
    if not isinstance(value, dict):
        faults.append(FieldFault("Give an object.", pointer))
        return None
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    before = len(faults)
    for name in value:
        if name not in fields:
            faults.append(FieldFault("There is no such field.", f"{pointer}/{_escape(name)}"))
    given = {}
    for name, field in fields.items():
        if name in value:
            given[name] = decode_value(hints[name], value[name], f"{pointer}/{name}", faults)
        elif _is_needed(field):
            faults.append(FieldFault("This field is needed.", f"{pointer}/{name}"))
    return kind(**given) if len(faults) == before else None


def _decode_list(kind: object, value: object, pointer: str, faults: Faults) -> object:
    if not isinstance(value, list):
        faults.append(FieldFault("Give a list.", pointer))
        return None
    if len(value) > _MAX_ITEMS:
        faults.append(FieldFault(f"Give at most {_MAX_ITEMS}.", pointer))
        return None
    return [decode_value(kind, each, f"{pointer}/{at}", faults) for at, each in enumerate(value)]


def _describe_object(kind: type, schemas: Schemas) -> None:
    if kind.__name__ in schemas:
        return
    schemas[kind.__name__] = {}  # so that one that holds itself comes to an end
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)
    schemas[kind.__name__] = {
        "type": "object",
        "description": (kind.__doc__ or "").strip().partition("\n\n")[0],
        "properties": {field.name: schema_of(hints[field.name], schemas) for field in fields},
        "required": [field.name for field in fields if _is_needed(field)],
        "additionalProperties": False,
    }


def _is_needed(field: dataclasses.Field[object]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


# -- plain values


def _decode_plain(kind: object, limits: Text | Number | None, value: object) -> tuple[object, str]:
    """Return the value, and what is wrong with it."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        words = [member.value for member in kind]
        if value not in words:
            return None, f"Give one of: {', '.join(words)}."
        return kind(value), ""
    if kind is bool:
        return value, "" if isinstance(value, bool) else "Give true or false."
    if kind is int:
        return value, _number_fault(value, limits if isinstance(limits, Number) else Number())
    if kind is datetime:
        return _read_moment(value)
    sentence = _text_fault(value, limits if isinstance(limits, Text) else Text())
    return (Secret(value) if kind is Secret and isinstance(value, str) and not sentence else value), sentence


def _number_fault(value: object, limits: Number) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or not limits.least <= value <= limits.most:
        return f"Give a whole number between {limits.least} and {limits.most}."
    return ""


def _text_fault(value: object, limits: Text) -> str:
    if not isinstance(value, str):
        return "Give a text."
    if not limits.least <= len(value) <= limits.most:
        return f"Give between {limits.least} and {limits.most} characters."
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return "There is a character that no text holds."
    return ""


def _read_moment(value: object) -> tuple[object, str]:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        return None, "Give a moment, such as 2026-11-23T08:00:00Z."
    return moment, ""


def _plain_schema(kind: object, limits: Text | Number | None) -> dict[str, object]:
    said: dict[str, object] = {"description": limits.doc} if limits is not None and limits.doc else {}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {**said, "type": "string", "enum": [member.value for member in kind]}
    if kind is bool:
        return {**said, "type": "boolean"}
    if kind is int:
        if isinstance(limits, Number):
            said |= {"minimum": limits.least, "maximum": limits.most}
        return {**said, "type": "integer"}
    if kind is datetime:
        return {**said, "type": "string", "format": "date-time"}
    if isinstance(limits, Text):
        said |= {"minLength": limits.least, "maxLength": limits.most}
    if kind is Secret:
        said |= {"format": "password"}
    return {**said, "type": "string"}


# -- types


def _base(kind: object) -> tuple[object, Text | Number | None]:
    """Return a type without its annotation, and the annotation."""
    if typing.get_origin(kind) is not typing.Annotated:
        return kind, None
    base, *extras = typing.get_args(kind)
    return base, next((extra for extra in extras if isinstance(extra, (Text, Number))), None)


def _is_union(kind: object) -> bool:
    return isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union


def _escape(name: str) -> str:
    """Return a name as a JSON pointer has it (RFC 6901 §3), without what no text holds."""
    return name[:100].encode("utf-8", "replace").decode().replace("~", "~0").replace("/", "~1")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    known = dict(pairs)
    if len(known) != len(pairs):
        raise ValueError("a name comes twice")
    return known


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
