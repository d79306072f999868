"""The life of a DKIM key: pending, active, retiring, retired. Which steps are due follows from the DNS and the time.

Of each kind one key signs at any time. A new one is made while the old one signs, and takes over in the same step in
which the old one retires, once every name server of the zone shows it: no verifier meets a signature whose key it
cannot find. The old key's record stays for the mail that is on its way. Pure: `domains.dkim_keeper` carries it out.
"""

from __future__ import annotations

__all__ = ["Make", "Move", "Step", "choose_signing", "plan_steps"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hongyan.domains.dkim_keys import KeyKind
from hongyan.store.domain_state import DkimKey, KeyState


@dataclass(frozen=True, slots=True)
class Make:
    """Make a key of a kind: it waits for its record, or is the first of its kind and signs at once."""

    kind: KeyKind
    state: KeyState


@dataclass(frozen=True, slots=True)
class Move:
    """A key comes into another state, or is noted for the first time."""

    selector: str
    kind: KeyKind
    state: KeyState


Step = Make | Move


def plan_steps(
    keys: Sequence[DkimKey],
    files: Mapping[str, KeyKind],
    shown: Collection[str],
    now: datetime,
    *,
    rotate: timedelta | None,
    retire: timedelta,
    is_asked: bool = False,
) -> Sequence[Sequence[Step]]:
    """Return the steps for one domain, those that belong together side by side.

    `files` are the keys that have a file, by selector; `shown` the pending selectors whose records every name server
    shows. After `rotate` a key is followed by another, never if None, and now if `is_asked`. After `retire` a former
    key is gone.
    """
    steps: list[Sequence[Step]] = []
    for kind in KeyKind:
        mine = [key for key in keys if key.kind == kind]
        strangers = sorted(
            selector for selector, of in files.items() if of is kind and selector not in {key.selector for key in mine}
        )
        if strangers:
            steps.append(_adopt(kind, strangers, is_first=not _find(mine, KeyState.ACTIVE)))
        elif not _find(mine, KeyState.ACTIVE):
            steps.append(_begin(kind, mine, files))
        else:
            steps.extend(_go_on(kind, mine, shown, now, rotate=rotate, is_asked=is_asked))
        steps += [
            [Move(key.selector, kind, KeyState.RETIRED)]
            for key in mine
            if key.state is KeyState.RETIRING and now - key.since >= retire
        ]
    return steps


def _adopt(kind: KeyKind, selectors: Sequence[str], *, is_first: bool) -> Sequence[Step]:
    """Keys that lie there without a word of where they stand: made before there was one, by hand, or by a crash.

    Where none signs the newest goes on signing, as it did; else they wait for their records.
    """
    if not is_first:
        return [Move(selector, kind, KeyState.PENDING) for selector in selectors]
    *older, newest = selectors
    return [
        Move(newest, kind, KeyState.ACTIVE),
        *(Move(selector, kind, KeyState.RETIRING) for selector in older),
    ]


def _begin(kind: KeyKind, mine: Sequence[DkimKey], files: Mapping[str, KeyKind]) -> Sequence[Step]:
    """No key of a kind signs: one that waits does from now on, else a new one. There is nothing to lose."""
    waiting = [key for key in _find(mine, KeyState.PENDING) if key.selector in files]
    if waiting:
        return [Move(waiting[-1].selector, kind, KeyState.ACTIVE)]
    return [Make(kind, KeyState.ACTIVE)]


def _go_on(
    kind: KeyKind,
    mine: Sequence[DkimKey],
    shown: Collection[str],
    now: datetime,
    *,
    rotate: timedelta | None,
    is_asked: bool,
) -> Sequence[Sequence[Step]]:
    active, pending = _find(mine, KeyState.ACTIVE), _find(mine, KeyState.PENDING)
    ready = [key for key in pending if key.selector in shown]
    if ready:
        # Both at once: at no moment does none sign, or two.
        takes_over = Move(ready[-1].selector, kind, KeyState.ACTIVE)
        return [[takes_over, *(Move(key.selector, kind, KeyState.RETIRING) for key in active)]]
    is_old = rotate is not None and now - active[-1].since >= rotate
    if not pending and (is_old or is_asked):
        return [[Make(kind, KeyState.PENDING)]]
    return []


def choose_signing(keys: Sequence[DkimKey], files: Mapping[str, KeyKind]) -> Sequence[str]:
    """Return the selectors that sign, one of each kind that has any, RSA first.

    It is the active one. Should its file be lost, a former one signs on, since its record is still there; keys that
    nobody has taken note of come before one that still waits for its record.
    """
    chosen = []
    for kind in KeyKind:
        states = {key.selector: key.state for key in keys if key.kind == kind}
        there = sorted(selector for selector, of in files.items() if of is kind)
        ranked = [selector for selector in there if states.get(selector) is not KeyState.RETIRED]
        if ranked:
            # max keeps the first of equals: reversed, so that it is the newest selector.
            chosen.append(max(reversed(ranked), key=lambda selector: _rank(states.get(selector))))
    return chosen


def _rank(state: KeyState | None) -> int:
    match state:
        case KeyState.ACTIVE:
            return 3
        case KeyState.RETIRING:
            return 2
        case None:
            return 1
        case _:
            return 0


def _find(keys: Sequence[DkimKey], state: KeyState) -> Sequence[DkimKey]:
    return [key for key in keys if key.state is state]
