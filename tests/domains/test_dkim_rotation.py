"""The whole life of DKIM keys on a clock that the test moves: whatever the DNS does, of each kind one key signs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Domain
from hongyan.audit.events import CLI
from hongyan.audit.log import AuditLog, AuditOptions
from hongyan.domains.dkim_keeper import DkimKeeper
from hongyan.domains.dkim_keys import (
    KeyKind,
    list_selectors,
    load_key,
    make_key,
    make_missing_keys,
    public_record,
    save_key,
)
from hongyan.domains.dkim_rotation import Make, Move, choose_signing, plan_steps
from hongyan.domains.dns_records import Kind
from hongyan.domains.options import DomainOptions
from hongyan.domains.survey import DnsView, Seen
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.domain_state import SqlDomainState
from hongyan.store.domain_state import DkimKey, KeyState
from tests.support.clock import FakeClock, FakeRandom
from tests.support.storage import open_storage

GEESE = Domain("geese.test")
DAY = timedelta(days=1)


class World:
    """A keeper, and name servers that show what the test publishes."""

    def __init__(self, keeper: DkimKeeper, clock: FakeClock) -> None:
        self.keeper = keeper
        self.clock = clock
        self.published: dict[str, list[list[str]]] = {}

    def publish(self, *, servers: int = 2, late: int = 0) -> None:
        """Write the records of all key files; `late` servers do not show them yet."""
        for selector in list_selectors(self.keeper.folder, GEESE):
            record = public_record(load_key(self.keeper.folder, GEESE, selector))
            self.published[record.name] = [[record.text]] * (servers - late) + [[]] * late

    def view(self, *, silent: bool = False) -> DnsView:
        return DnsView(
            {
                (name, Kind.TXT): [
                    Seen(f"ns{number}", None if silent and number == 0 else tuple(values), is_authoritative=True)
                    for number, values in enumerate(answers)
                ]
                for name, answers in self.published.items()
            }
        )

    async def step(self, **shown: bool) -> list[str]:
        """Let the keeper do what is due; return the selectors that sign."""
        await self.keeper.step(GEESE, self.view(**shown))
        return self.signing()

    def signing(self) -> list[str]:
        return [key.selector for key in self.keeper.signing_keys(GEESE)]

    def states(self) -> dict[str, str]:
        return {key.selector: key.state.value for key in self.keeper.list_keys(GEESE)}


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]  # a generator
    async with open_storage("sqlite", tmp_path, request) as storage:
        clock = FakeClock()
        audit = AuditLog(SqlAudit(storage.database), clock, FakeRandom(), AuditOptions())
        keeper = DkimKeeper(
            tmp_path / "dkim",
            SqlDomainState(storage.database),
            audit,
            clock,
            DomainOptions(dkim_rotate=180, dkim_retire=7),
        )
        yield World(keeper, clock)


async def test_a_key_lives_from_pending_to_retired_and_one_of_each_kind_signs_at_all_times(world: World) -> None:
    assert await world.step() == ["202601r", "202601e"]  # made at once, and signing
    world.publish()
    world.clock.advance(179 * DAY)
    assert await world.step() == ["202601r", "202601e"]
    world.clock.advance(DAY)
    assert await world.step() == ["202601r", "202601e"]  # the next ones wait
    assert world.states() == {"202601e": "active", "202601r": "active", "202606e": "pending", "202606r": "pending"}

    for _ in range(3):  # nobody publishes: nothing moves, and no more are made
        world.clock.advance(30 * DAY)
        assert await world.step() == ["202601r", "202601e"]
    world.publish(late=1)
    assert await world.step() == ["202601r", "202601e"]  # one server is behind
    world.publish()
    assert await world.step(silent=True) == ["202601r", "202601e"]  # one does not answer
    assert await world.step() == ["202606r", "202606e"]
    assert world.states() == {"202601e": "retiring", "202601r": "retiring", "202606e": "active", "202606r": "active"}

    world.clock.advance(6 * DAY)
    await world.step()
    assert world.states()["202601r"] == "retiring"
    assert list_selectors(world.keeper.folder, GEESE) == ("202601e", "202601r", "202606e", "202606r")
    world.clock.advance(DAY)
    assert await world.step() == ["202606r", "202606e"]
    assert world.states()["202601r"] == "retired"
    assert list_selectors(world.keeper.folder, GEESE) == ("202606e", "202606r")


async def test_whoever_asks_gets_new_keys_now_and_only_once(world: World) -> None:
    await world.step()
    for _ in range(2):
        await world.keeper.step(GEESE, None, CLI, is_asked=True)
    assert world.states() == {"202601e": "active", "202601e2": "pending", "202601r": "active", "202601r2": "pending"}
    world.publish()
    assert await world.step() == ["202601r2", "202601e2"]


async def test_keys_from_before_go_on_signing_the_newest_of_each_kind(world: World) -> None:
    folder = world.keeper.folder
    make_missing_keys(folder, GEESE, world.clock.now())
    save_key(folder, make_key(GEESE, "202512e", KeyKind.ED25519))
    assert world.signing() == ["202601r", "202601e"]
    assert await world.step() == ["202601r", "202601e"]
    assert world.states() == {"202512e": "retiring", "202601e": "active", "202601r": "active"}


async def test_a_key_whose_making_was_cut_short_waits_for_its_record(world: World) -> None:
    await world.step()
    save_key(world.keeper.folder, make_key(GEESE, "202609e", KeyKind.ED25519))  # the file is there, the word is not
    assert world.signing() == ["202601r", "202601e"]
    assert await world.step() == ["202601r", "202601e"]
    assert world.states()["202609e"] == "pending"


async def test_a_record_that_holds_another_key_moves_nothing(world: World) -> None:
    await world.step()
    await world.keeper.step(GEESE, None, CLI, is_asked=True)
    world.publish()
    other = public_record(make_key(GEESE, "x", KeyKind.ED25519)).text
    world.published["202601e2._domainkey.geese.test"] = [[other], [other]]
    assert await world.step() == ["202601r2", "202601e"]


def key(selector: str, state: KeyState) -> DkimKey:
    now = FakeClock().now()
    return DkimKey(GEESE, selector, "rsa", state, now, now)


@pytest.mark.parametrize(
    ("keys", "files", "signs"),
    [
        ([key("a", KeyState.ACTIVE), key("b", KeyState.PENDING)], "ab", "a"),
        ([key("a", KeyState.ACTIVE), key("b", KeyState.RETIRING)], "b", "b"),  # its file was lost
        ([key("a", KeyState.ACTIVE), key("b", KeyState.PENDING)], "b", "b"),
        ([key("a", KeyState.RETIRED)], "ab", "b"),
        ([key("a", KeyState.RETIRED)], "a", ""),
        ([], "ab", "b"),
    ],
)
def test_what_signs_has_a_file_and_the_best_chance_of_a_record(keys: list[DkimKey], files: str, signs: str) -> None:
    assert list(choose_signing(keys, dict.fromkeys(files, KeyKind.RSA))) == list(signs)


def test_no_rotation_where_it_is_switched_off() -> None:
    clock = FakeClock()
    keys = [key("a", KeyState.ACTIVE)]
    files = {"a": KeyKind.RSA}
    now = clock.now() + 1000 * DAY
    steps = plan_steps(keys, files, [], now, rotate=None, retire=7 * DAY)
    assert steps == [[Make(KeyKind.ED25519, KeyState.ACTIVE)]]
    steps = plan_steps(keys, files, [], now, rotate=180 * DAY, retire=7 * DAY)
    assert [Make(KeyKind.RSA, KeyState.PENDING)] in steps


def test_who_takes_over_and_who_retires_do_so_in_one_step() -> None:
    keys = [key("a", KeyState.ACTIVE), key("b", KeyState.PENDING)]
    steps = plan_steps(keys, {"a": KeyKind.RSA, "b": KeyKind.RSA}, ["b"], FakeClock().now(), rotate=DAY, retire=DAY)
    assert [Move("b", KeyKind.RSA, KeyState.ACTIVE), Move("a", KeyKind.RSA, KeyState.RETIRING)] in steps
