"""Who is known, to an account: the closest clear history decides, and nobody borrows a good name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from hongyan.addresses import Address, Domain
from hongyan.errors import Unavailable
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.spf import SpfIdentity, SpfResult
from hongyan.mailauth.spf_record import SpfStatus
from hongyan.screening.examined import Examined
from hongyan.screening.reputation import (
    Opinion,
    Reputation,
    ReputationCheck,
    ReputationOptions,
    Sender,
    Standing,
    judge_sender,
    sender_of,
)
from hongyan.screening.shared_domains import SHARED_DOMAINS, is_shared
from hongyan.screening.verdict import Disposition
from hongyan.store.correspondents import Correspondent, correspondent_key
from hongyan.store.reputation import History, Kind, Subject
from hongyan.types import AccountId
from tests.support.clock import FakeClock

ANN = AccountId(1)
SENDER = Address.parse("Friend@elsewhere.test")
PEER = "192.0.2.1"
WHOLE = Sender(SENDER, ("elsewhere.test",), PEER)
_ADDRESS = Subject(Kind.ADDRESS, "friend@elsewhere.test")
_DOMAIN = Subject(Kind.DOMAIN, "elsewhere.test")
_NETWORK = Subject(Kind.NETWORK, PEER)


def standing(histories: Mapping[Subject, History], *, is_correspondent: bool = False) -> tuple[str, str]:
    opinion = judge_sender(WHOLE, histories, is_correspondent=is_correspondent)
    return opinion.standing.value, opinion.reason


@pytest.mark.parametrize(
    ("kind", "good", "bad"), [(_ADDRESS, 1, 2), (_DOMAIN, 3, 4), (_NETWORK, 5, 8)], ids=["address", "domain", "network"]
)
def test_each_history_decides_from_its_published_number_on(kind: Subject, good: int, bad: int) -> None:
    assert standing({kind: History(good - 1, 0)}) == ("unknown", "first-time")
    assert standing({kind: History(good, 0)}) == ("good", kind.kind.value)
    assert standing({kind: History(0, bad - 1)}) == ("unknown", "first-time")
    assert standing({kind: History(0, bad)}) == ("bad", kind.kind.value)
    assert standing({kind: History(8, 10)}) == ("unknown", "first-time")
    assert standing({kind: History(40, 10)}) == ("good", kind.kind.value)
    assert standing({kind: History(4, 16)}) == ("bad", kind.kind.value)


def test_the_closest_history_that_is_clear_decides() -> None:
    assert standing({_ADDRESS: History(1, 0), _DOMAIN: History(0, 9), _NETWORK: History(0, 9)}) == ("good", "address")
    assert standing({_ADDRESS: History(1, 1), _DOMAIN: History(0, 9)}) == ("bad", "domain")


def test_whom_the_account_wrote_to_is_known_unless_it_turned_bad() -> None:
    assert standing({_NETWORK: History(0, 50)}, is_correspondent=True) == ("good", "correspondent")
    assert standing({_ADDRESS: History(0, 2)}, is_correspondent=True) == ("bad", "address")


def spf(status: SpfStatus, domain: str = "elsewhere.test") -> Authentication:
    identity = SpfIdentity.MAIL_FROM
    return Authentication(spf=SpfResult(status=status, identity=identity, domain=domain, reason=""))


def test_only_what_was_vouched_for_has_a_history() -> None:
    assert sender_of(PEER, SENDER, spf(SpfStatus.PASS)) == WHOLE
    assert sender_of(PEER, SENDER, spf(SpfStatus.FAIL)) == Sender(None, (), PEER)
    assert sender_of(PEER, SENDER, spf(SpfStatus.PASS, "other.test")) == Sender(None, ("other.test",), PEER)
    assert sender_of("2001:db8::9", None, Authentication()) == Sender(None, (), "2001:db8::/64")
    assert sender_of("127.0.0.1", None, Authentication()).subjects == ()


@dataclass
class Memory:
    """Both stores, in memory for this test alone."""

    histories: dict[Subject, History] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    noted: list[tuple[Subject, bool]] = field(default_factory=list)
    is_away: bool = False
    senders: dict[str, int] = field(default_factory=dict)

    async def count_senders(self, account: AccountId, domain: str, most: int) -> int:
        return min(self.senders.get(domain, 0), most)

    async def find(self, account: AccountId, subjects: Collection[Subject]) -> Mapping[Subject, History]:
        if self.is_away:
            raise Unavailable(cause="away")
        return {subject: self.histories[subject] for subject in subjects if subject in self.histories}

    async def note(self, account: AccountId, subjects: Collection[Subject], at: datetime, *, good: bool) -> None:
        self.noted += [(subject, good) for subject in subjects]

    async def find_network(self, network: str) -> History:
        return self.histories.get(Subject(Kind.NETWORK, network), History())

    async def expire(self, before: datetime) -> int:
        return 0

    async def find_correspondents(
        self, account: AccountId, addresses: Collection[Address]
    ) -> Mapping[str, Correspondent]:
        keys = {correspondent_key(address) for address in addresses} & self.written
        return {key: Correspondent(address=key, written=1) for key in keys}


def reputation(memory: Memory, **options: bool) -> Reputation:
    return Reputation(ReputationOptions(**options), memory, memory, FakeClock())


def message(authentication: Authentication) -> Examined:
    return Examined(
        mid="m",
        peer=PEER,
        helo="mx.elsewhere.test",
        reverse_path=SENDER,
        accounts={ANN: Address.parse("ann@hongyan.test")},
        octets=b"",
        body=0,
        authentication=authentication,
        encrypted=True,
    )


async def judged(memory: Memory, **options: bool) -> list[tuple[Disposition, str]]:
    check = ReputationCheck(reputation(memory, **options))
    findings = await check.judge(message(spf(SpfStatus.PASS)))
    assert all(finding.account == ANN for finding in findings)
    assert check.overdue() == ()
    return [(finding.disposition, finding.reason) for finding in findings]


async def test_known_bad_mail_goes_to_junk_and_hopeless_mail_is_refused() -> None:
    assert await judged(Memory({_DOMAIN: History(0, 4)})) == [(Disposition.JUNK, "bad-domain")]
    assert await judged(Memory({_DOMAIN: History(0, 10)})) == [(Disposition.REJECT, "bad-domain")]
    assert await judged(Memory({_DOMAIN: History(1, 10)})) == [(Disposition.JUNK, "bad-domain")]
    assert await judged(Memory({_DOMAIN: History(0, 10)}), refuse=False) == [(Disposition.JUNK, "bad-domain")]


async def test_known_good_mail_is_named_and_first_timers_are_not_judged() -> None:
    assert await judged(Memory({_ADDRESS: History(1, 0)})) == [(Disposition.ACCEPT, "good-address")]
    assert await judged(Memory(written={"friend@elsewhere.test"})) == [(Disposition.ACCEPT, "good-correspondent")]
    assert await judged(Memory()) == []
    assert await judged(Memory({_DOMAIN: History(0, 99)}), enabled=False) == []


async def test_when_the_store_is_away_everybody_is_a_first_timer() -> None:
    memory = Memory({_DOMAIN: History(0, 99)}, is_away=True)
    assert await reputation(memory).opinion(ANN, WHOLE) == Opinion(Standing.UNKNOWN)
    assert await judged(memory) == []


async def test_what_is_noted_is_what_was_vouched_for() -> None:
    memory = Memory()
    await reputation(memory).note(ANN, SENDER, "Elsewhere.test", "2001:db8::1", good=False)
    assert memory.noted == [
        (_ADDRESS, False),
        (_DOMAIN, False),
        (Subject(Kind.NETWORK, "2001:db8::/64"), False),
    ]
    await reputation(memory).note(ANN, None, None, None, good=True)
    assert len(memory.noted) == 3


async def test_a_network_has_a_good_name_when_several_accounts_say_so() -> None:
    for history, good in ((History(1, 0), False), (History(2, 0), True), (History(8, 2), True), (History(7, 2), False)):
        memory = Memory({_NETWORK: history})
        assert await reputation(memory).has_good_name(PEER) is good
        assert await reputation(memory, enabled=False).has_good_name(PEER) is False


FREE = Address.parse("stranger@gmail.com")
AT_FREE_MAIL = Sender(FREE, ("gmail.com",), PEER)
_FREE_MAIL = Subject(Kind.DOMAIN, "gmail.com")


async def test_a_mailbox_provider_lends_neither_good_nor_bad_name_to_a_new_address() -> None:
    for history in (History(50, 0), History(0, 50)):
        assert await reputation(Memory({_FREE_MAIL: history})).opinion(ANN, AT_FREE_MAIL) == Opinion()


async def test_an_address_at_a_mailbox_provider_is_known_by_itself() -> None:
    known = Memory({Subject(Kind.ADDRESS, "stranger@gmail.com"): History(1, 0)})
    assert (await reputation(known).opinion(ANN, AT_FREE_MAIL)).reason == "address"
    assert (await reputation(known).opinion(ANN, AT_FREE_MAIL)).standing is Standing.GOOD
    written = Memory(written={"stranger@gmail.com"})
    assert (await reputation(written).opinion(ANN, AT_FREE_MAIL)).reason == "correspondent"


async def test_of_a_mailbox_provider_only_address_and_network_are_noted() -> None:
    memory = Memory()
    await reputation(memory).note(ANN, FREE, "gmail.com", PEER, good=True)
    assert memory.noted == [(Subject(Kind.ADDRESS, "stranger@gmail.com"), True), (_NETWORK, True)]


async def test_who_sends_for_many_vouches_for_nobody_but_the_customers_own_signature_does() -> None:
    signed = Sender(None, ("amazonses.com", "shop.test"), PEER)
    service, shop = Subject(Kind.DOMAIN, "amazonses.com"), Subject(Kind.DOMAIN, "shop.test")
    assert (await reputation(Memory({service: History(9, 0)})).opinion(ANN, signed)) == Opinion()
    assert (await reputation(Memory({shop: History(3, 0)})).opinion(ANN, signed)).reason == "domain"


async def test_a_domain_with_many_senders_lends_no_good_name_and_keeps_its_bad_one() -> None:
    good = Memory({_DOMAIN: History(50, 0)}, senders={"elsewhere.test": 24})
    assert (await reputation(good).opinion(ANN, WHOLE)).reason == "domain"
    good.senders["elsewhere.test"] = 25
    assert await reputation(good).opinion(ANN, WHOLE) == Opinion()
    good.histories[_NETWORK] = History(5, 0)
    assert (await reputation(good).opinion(ANN, WHOLE)).reason == "network"
    bad = Memory({_DOMAIN: History(0, 50)}, senders={"elsewhere.test": 25})
    assert (await reputation(bad).opinion(ANN, WHOLE)).standing is Standing.BAD


async def test_an_operator_names_more_domains_that_many_use() -> None:
    memory = Memory({_DOMAIN: History(50, 0)})
    options = ReputationOptions(shared_domains=("Elsewhere.TEST",))
    assert await Reputation(options, memory, memory, FakeClock()).opinion(ANN, WHOLE) == Opinion()


@pytest.mark.parametrize(
    ("domain", "is_one"),
    [("qq.com", True), ("vip.163.com", True), ("evilgmail.com", False), ("shop.gappssmtp.com", False), ("", False)],
)
def test_the_list_holds_a_name_and_what_is_below_it(domain: str, is_one: bool) -> None:
    assert is_shared(domain) is is_one


def test_every_domain_of_the_list_is_one() -> None:
    assert all(Domain.parse(domain).text == domain and "." in domain for domain in SHARED_DOMAINS)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="a day"):
        ReputationOptions(keep=0.5)
    with pytest.raises(ValueError, match="one sender"):
        ReputationOptions(crowd=0)
    with pytest.raises(ValueError, match="is no domain"):
        ReputationOptions(shared_domains=("not a domain",))
