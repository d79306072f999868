"""How much a provider takes, and doors at which nobody knocks."""

from __future__ import annotations

import pytest

from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Stage
from hongyan.queue.providers import Doors, Limits, Provider, Providers, organisation_of
from hongyan.wire.smtp.replies import Reply

TAKEN = Outcome.from_reply(Reply(250, "2.0.0", ("Taken",)), Stage.END, "mx.example[192.0.2.1]")
TOO_MUCH = Outcome.from_reply(Reply(450, "4.2.1", ("Too many messages, slow down",)), Stage.MAIL, "mx.example")
UNREACHABLE = Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT)


@pytest.mark.parametrize(
    ("host", "organisation"),
    [
        ("mx3.qq.com", "qq.com"),
        ("qq.com", "qq.com"),
        ("alt1.aspmx.l.google.com.", "google.com"),
        ("example-com.mail.protection.outlook.com", "outlook.com"),
        ("mx.example.com.cn", "example.com.cn"),
        ("mx.example.cn", "example.cn"),
        ("com.cn", "com.cn"),
        ("[192.0.2.1]", "[192.0.2.1]"),
    ],
)
def test_hosts_belong_to_an_organisation(host: str, organisation: str) -> None:
    assert organisation_of(host) == organisation


def test_each_delivery_that_succeeds_allows_one_more_up_to_the_limit() -> None:
    provider = Provider("qq.com", Limits(2, 5))
    assert provider.room(0) == 2
    for _ in range(9):
        provider.learn([TAKEN], 0)
    assert provider.room(0) == 5


def test_a_provider_that_says_too_much_rests_longer_each_time_and_gets_half() -> None:
    provider = Provider("qq.com", Limits(2, 20))
    for _ in range(6):
        provider.learn([TAKEN], 0)
    provider.learn([TAKEN, TOO_MUCH], 100)
    assert provider.room(129) == 0
    assert provider.next_change(100) == 30
    assert provider.room(130) == 4
    provider.learn([TOO_MUCH], 130)
    assert provider.room(189) == 0
    assert provider.room(190) == 2
    for _ in range(20):
        provider.learn([TOO_MUCH], 200)
    assert (provider.room(799), provider.room(800)) == (0, 1)


def test_after_too_much_it_grows_slowly() -> None:
    provider = Provider("qq.com", Limits(8, 20))
    provider.learn([TOO_MUCH], 0)
    provider.learn([TOO_MUCH], 0)
    provider.learn([TAKEN], 0)
    assert provider.allowed == 2.5


def test_an_answer_about_one_recipient_slows_nobody() -> None:
    provider = Provider("qq.com", Limits(4, 20))
    provider.learn([Outcome.from_reply(Reply(550, "5.1.1", ("No such user",)), Stage.RECIPIENT, "mx")], 0)
    provider.learn([Outcome.from_reply(Reply(451, "4.7.1", ("Greylisted",)), Stage.RECIPIENT, "mx")], 0)
    assert provider.room(0) == 4


def test_a_rate_is_kept_and_a_few_deliveries_may_go_at_once() -> None:
    provider = Provider("qq.com", Limits(20, 20, per_minute=30))
    assert provider.room(1000) == 5
    for _ in range(5):
        provider.count(1000)
    assert provider.room(1000) == 0
    assert not provider.may_go_on(1000)
    assert provider.next_change(1000) == pytest.approx(2)
    assert provider.room(1002) == 1
    assert provider.room(9000) == 5


def test_domains_of_one_provider_share_its_limits() -> None:
    providers = Providers(lambda name: Limits(1, 20))
    own = providers.of("a.example")
    assert own.name == "a.example"
    shared = providers.learn_route("a.example", "qq.com")
    assert providers.learn_route("b.example", "qq.com") is shared is providers.of("a.example")
    assert providers.full(0) == set()
    providers.of("a.example").active = 1
    assert providers.full(0) == {"a.example", "b.example"}
    shared.active = 0
    shared.learn([TOO_MUCH], 0)
    assert providers.full(1) == {"a.example", "b.example"}
    assert providers.next_change(1) == 29
    assert providers.full(31) == set()
    assert providers.next_change(31) is None


def test_a_closed_door_opens_again_and_stays_closed_longer_if_nobody_answers() -> None:
    doors = Doors((60, 300))
    assert doors.find_closed("mx.example:25", 0) is None
    doors.learn("mx.example:25", UNREACHABLE, 0)
    doors.learn("mx.example:25", UNREACHABLE, 1)  # knocked at the same time
    door = doors.find_closed("mx.example:25", 59)
    assert door is not None
    assert (door.until, door.failures) == (60, 1)
    assert doors.find_closed("mx.example:25", 60) is None
    doors.learn("mx.example:25", UNREACHABLE, 60)
    assert doors.find_closed("mx.example:25", 359) is not None
    doors.learn("mx.example:25", None, 400)
    doors.learn("mx.example:25", UNREACHABLE, 500)
    assert doors.find_closed("mx.example:25", 560) is None
