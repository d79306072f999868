"""Reverse-paths of what is forwarded, and the way back."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import pytest

from hongyan.addresses import Address, Domain
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.srs import MAX_AGE, Srs, SrsFault
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
OURS = Domain.parse("mx.ours.example")
SRS = Srs(OURS, [b"secret"])
ANN = Address.parse("Ann.Lee+x@elsewhere.example")


def test_a_strangers_address_goes_out_as_ours_and_comes_back() -> None:
    rewritten = SRS.forward(ANN, NOW)
    assert rewritten.domain == OURS
    assert rewritten.local_part.startswith("SRS0=")
    assert rewritten.local_part.endswith("=elsewhere.example=Ann.Lee+x")
    assert SRS.reverse(rewritten, NOW + timedelta(days=20)) == ANN


def test_servers_that_fold_the_case_still_bring_bounces() -> None:
    rewritten = SRS.forward(ANN, NOW)
    folded = Address(rewritten.local_part.lower(), OURS)
    assert str(SRS.reverse(folded, NOW)) == "ann.lee+x@elsewhere.example"


@pytest.mark.parametrize("days", [-2, MAX_AGE.days + 1, 500, 900])
def test_an_old_address_takes_nothing(days: int) -> None:
    with pytest.raises(SrsFault):
        SRS.reverse(SRS.forward(ANN, NOW), NOW + timedelta(days=days))


def test_a_changed_address_takes_nothing() -> None:
    local = SRS.forward(ANN, NOW).local_part
    for place in range(5, len(local)):
        changed = local[:place] + ("b" if local[place].lower() != "b" else "c") + local[place + 1 :]
        with pytest.raises(SrsFault):
            SRS.reverse(Address(changed, OURS), NOW)
    with pytest.raises(SrsFault):
        Srs(OURS, [b"other"]).reverse(Address(local, OURS), NOW)


def test_a_key_that_was_changed_still_brings_the_bounces_of_before() -> None:
    rewritten = SRS.forward(ANN, NOW)
    assert Srs(OURS, [b"new", b"secret"]).reverse(rewritten, NOW) == ANN


def test_a_second_forwarder_leads_back_to_the_first() -> None:
    theirs = Address.parse("SRS0=abcd=XY=origin.example=bob@first.example")
    second = SRS.forward(theirs, NOW)
    assert second.local_part.startswith("SRS1=")
    assert SRS.reverse(second, NOW) == theirs
    third = Srs(Domain.parse("third.example"), [b"k"]).forward(second, NOW)
    assert "=first.example==abcd" in third.local_part
    assert Srs(Domain.parse("third.example"), [b"k"]).reverse(third, NOW) == theirs


def test_what_cannot_be_written_is_sent_on_as_it_is() -> None:
    clock = FakeClock()
    forwarding = Forwarding(SRS, lambda domain: domain.text == "ours.example", clock)
    for text in ("用户@elsewhere.example", f"{'x' * 50}@elsewhere.example", "ann@ours.example"):
        assert forwarding.rewrite(Address.parse(text)) == Address.parse(text)
    assert forwarding.rewrite(None) is None
    assert forwarding.find_sender(Address.parse("SRS0=abcd=XY=a.example=b@mx.ours.example")) is None
    rewritten = forwarding.rewrite(ANN)
    assert rewritten is not None
    assert forwarding.find_sender(rewritten) == ANN
    assert [*forwarding.envelopes(ANN, [Address.parse("a@ours.example"), Address.parse("b@x.example")])] == [
        (ANN, [Address.parse("a@ours.example")]),
        (rewritten, [Address.parse("b@x.example")]),
    ]


def test_the_signature_is_that_of_the_scheme() -> None:
    _, signature, stamp, host, local = SRS.forward(ANN, NOW).local_part.split("=")
    text = (stamp + host + local).lower().encode()
    assert base64.b64encode(hmac.new(b"secret", text, sha1).digest()).decode().startswith(signature)
