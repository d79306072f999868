"""Only records of ours are touched: a foreign one stays, and where it stands in the way a person decides."""

from __future__ import annotations

from hongyan.addresses import Domain
from hongyan.domains.dns_records import Kind, Need, Record
from hongyan.domains.publication import Publication, plan_publication
from hongyan.store.domain_state import OwnRecord

GEESE = Domain("geese.test")


def record(kind: Kind, value: str, name: str = "geese.test") -> Record:
    return Record(name, kind, value, Need.REQUIRED, "")


def mine(kind: Kind, value: str, name: str = "geese.test") -> OwnRecord:
    return OwnRecord(GEESE, name, kind.value, value)


SPF = record(Kind.TXT, "v=spf1 mx -all")
MX = record(Kind.MX, "10 mail.geese.test.")


def plan(wanted: list[Record], found: dict[Kind, list[str]], own: list[OwnRecord]) -> Publication:
    return plan_publication(GEESE, wanted, lambda _name, kind: found.get(kind, []), own)


def test_what_is_not_there_is_added_beside_texts_of_other_sorts() -> None:
    done = plan([SPF, MX], {Kind.TXT: ["google-site-verification=x", "MS=ms1"]}, [])
    assert (list(done.add), done.remove, done.conflicts) == ([SPF, MX], (), [])


def test_what_is_there_is_left_alone_whoever_wrote_it() -> None:
    done = plan([SPF, MX], {Kind.TXT: ["v=spf1 mx -all"], Kind.MX: ["10 MAIL.geese.test."]}, [])
    assert not (done.add)
    assert not (done.remove)
    assert not (done.conflicts)
    assert not (done.gone)


def test_a_foreign_record_of_the_same_sort_is_a_conflict_and_stays() -> None:
    done = plan([SPF, MX], {Kind.TXT: ["v=spf1 include:other.test -all"], Kind.MX: ["5 other.test."]}, [])
    assert not (done.add)
    assert not (done.remove)
    assert [conflict.found for conflict in done.conflicts] == [("v=spf1 include:other.test -all",), ("5 other.test.",)]


def test_a_record_of_ours_gives_way_to_the_new_one() -> None:
    old = mine(Kind.TXT, "v=spf1 a -all")
    done = plan([SPF], {Kind.TXT: ["v=spf1 a -all", "MS=ms1"]}, [old])
    assert (list(done.add), list(done.remove)) == ([SPF], [old])


def test_ours_and_a_foreign_one_together_are_a_conflict() -> None:
    done = plan([SPF], {Kind.TXT: ["v=spf1 a -all", "v=spf1 -all"]}, [mine(Kind.TXT, "v=spf1 a -all")])
    assert not done.add
    assert done.conflicts[0].found == ("v=spf1 -all",)


def test_what_is_no_longer_wanted_is_removed_if_it_is_ours_and_still_there() -> None:
    here, gone = mine(Kind.TXT, "v=DKIM1; p=a", "old._domainkey.geese.test"), mine(Kind.CNAME, "x.", "a.geese.test")
    done = plan([], {Kind.TXT: ["v=DKIM1; p=a"]}, [here, gone])
    assert (list(done.remove), list(done.gone)) == ([here], [gone])


def test_of_tlsa_and_addresses_several_stand_side_by_side() -> None:
    keys = [record(Kind.TLSA, f"3 1 1 {letter * 8}", "_25._tcp.geese.test") for letter in "ab"]
    done = plan(keys, {Kind.TLSA: ["3 1 1 ffffffff"]}, [])
    assert list(done.add) == keys
    both = [record(Kind.A, "192.0.2.1"), record(Kind.A, "192.0.2.2")]
    done = plan(both, {Kind.A: ["192.0.2.1"]}, [])
    assert list(done.add) == [both[1]]


def test_what_nobody_could_say_is_left_alone_and_so_are_other_zones() -> None:
    away = record(Kind.A, "192.0.2.1", "mail.other.test")
    done = plan_publication(GEESE, [SPF, away], lambda name, _: None if name == "geese.test" else [], [])
    assert done == Publication([], (), [], [])
