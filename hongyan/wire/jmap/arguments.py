"""The arguments of a call, read with their types (RFC 8620 §3.5, §3.9).

What is missing, of another type or unknown is refused with invalidArguments. Each reader takes an argument away;
`finish` refuses what is left.
"""

from __future__ import annotations

__all__ = ["Arguments"]

from collections.abc import Mapping, Sequence
from datetime import datetime

from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.values import is_id, is_int, is_unsigned, parse_utc_date

_SHOWN = 50


class Arguments:
    """What is left of a call's arguments."""

    __slots__ = ("_left",)

    def __init__(self, arguments: Mapping[str, object]) -> None:
        self._left = dict(arguments)

    def take(self, name: str) -> object:
        """Return a value of any type; None when it is missing or null."""
        return self._left.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether the argument is there and not taken yet."""
        return name in self._left

    def rest(self) -> Mapping[str, object]:
        """Return all that was not taken."""
        return self._left

    def finish(self) -> None:
        """Raise if an argument was not taken: nobody knows it."""
        if self._left:
            raise invalid_arguments(f"Unknown argument {min(self._left)[:_SHOWN]!r}.")

    def find_id(self, name: str) -> str | None:
        """Return an Id or None."""
        value = self.take(name)
        if value is None or is_id(value):
            return value
        raise _wrong(name, "an Id")

    def id(self, name: str) -> str:
        """Return an Id that must be there."""
        value = self.find_id(name)
        if value is None:
            raise _wrong(name, "an Id")
        return value

    def find_ids(self, name: str, *, references: bool = False) -> list[str] | None:
        """Return a list of Ids without repetitions, or None. With `references`, `#` and a creation id is one too."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise _wrong(name, "an array of Ids")
        if not all(is_id(one) or (references and _is_reference(one)) for one in value):
            raise _wrong(name, "an array of Ids")
        return list(dict.fromkeys(value))

    def find_string(self, name: str) -> str | None:
        """Return a string or None."""
        value = self.take(name)
        if value is None or isinstance(value, str):
            return value
        raise _wrong(name, "a string")

    def string(self, name: str) -> str:
        """Return a string that must be there."""
        value = self.find_string(name)
        if value is None:
            raise _wrong(name, "a string")
        return value

    def find_strings(self, name: str) -> list[str] | None:
        """Return a list of strings, or None."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _wrong(name, "an array of strings")
        return list(value)

    def find_unsigned(self, name: str) -> int | None:
        """Return an UnsignedInt or None."""
        value = self.take(name)
        if value is None or is_unsigned(value):
            return value
        raise _wrong(name, "an UnsignedInt")

    def integer(self, name: str, default: int) -> int:
        """Return an Int, `default` when it is missing."""
        if not self.has(name):
            return default
        value = self.take(name)
        if is_int(value):
            return value
        raise _wrong(name, "an Int")

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return a Boolean, `default` when it is missing."""
        if not self.has(name):
            return default
        value = self.take(name)
        if isinstance(value, bool):
            return value
        raise _wrong(name, "a Boolean")

    def find_date(self, name: str) -> datetime | None:
        """Return a UTCDate or None."""
        value = self.take(name)
        moment = parse_utc_date(value)
        if value is not None and moment is None:
            raise _wrong(name, "a UTCDate")
        return moment

    def find_object(self, name: str) -> Mapping[str, object] | None:
        """Return an object or None."""
        value = self.take(name)
        if value is None or isinstance(value, dict):
            return value
        raise _wrong(name, "an object")

    def find_records(self, name: str, *, references: bool = False) -> Mapping[str, Mapping[str, object]] | None:
        """Return an object of objects by Id, or None. With `references`, a key may be `#` and a creation id."""
        value = self.find_object(name)
        if value is None:
            return None
        records: dict[str, Mapping[str, object]] = {}
        for key, record in value.items():
            if not isinstance(record, dict) or not (is_id(key) or (references and _is_reference(key))):
                raise _wrong(name, "an object of objects by Id")
            records[key] = record
        return records

    def find_objects(self, name: str) -> Sequence[Mapping[str, object]] | None:
        """Return a list of objects, or None."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise _wrong(name, "an array of objects")
        return value


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value[:1] == "#" and is_id(value[1:])


def _wrong(name: str, kind: str) -> MethodError:
    return invalid_arguments(f"{name} is {kind}.")
