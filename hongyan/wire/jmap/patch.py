"""PatchObject (RFC 8620 §5.3): an unordered set of changes to one record."""

from __future__ import annotations

__all__ = ["apply_patch"]

from collections.abc import Mapping
from itertools import pairwise

from hongyan.wire.jmap.faults import SetError

_MAX_POINTER = 1000


def apply_patch(
    record: Mapping[str, object], patch: Mapping[str, object], defaults: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return the record with the patch applied; `record` is not changed. Raises `SetError` (invalidPatch).

    A null sets a top property to its default, or takes the value away.
    """
    paths = {path: _tokens(path) for path in patch}
    _require_disjoint(sorted(paths.values()))
    changed = dict(record)
    copied: set[int] = {id(changed)}
    for path, tokens in paths.items():
        *above, last = tokens
        parent = changed
        for token in above:
            child = parent.get(token)
            if not isinstance(child, Mapping):
                raise _invalid(path)
            if id(child) not in copied:
                child = parent[token] = dict(child)
                copied.add(id(child))
            parent = child  # type: ignore[assignment]  # what was copied is a dict
        value = patch[path]
        if value is None and not above and defaults and last in defaults:
            parent[last] = defaults[last]
        elif value is None:
            parent.pop(last, None)
        else:
            parent[last] = value
    return changed


def _tokens(path: str) -> list[str]:
    if not path or len(path) > _MAX_POINTER:
        raise _invalid(path[:100])
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")]


def _require_disjoint(paths: list[list[str]]) -> None:
    """RFC 8620 §5.3: no path is the beginning of another. In order, one that begins another stands right before it."""
    for one, next_one in pairwise(paths):
        if next_one[: len(one)] == one:
            raise _invalid("/".join(one))


def _invalid(path: str) -> SetError:
    return SetError("invalidPatch", f"{path!r} cannot be patched.")
