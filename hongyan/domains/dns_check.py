"""The DNS records that a domain has, beside those that it should have: what is wrong, and how to mend it.

Comparing is pure: who asks the DNS hands in what was found. Where a standard leaves a choice (an SPF policy, what
DMARC asks for) any record that does the work is good.
"""

from __future__ import annotations

__all__ = ["Checked", "Found", "Status", "check_record"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hongyan.domains.dns_records import Kind, Need, Record
from hongyan.mailauth.tags import TagListFault, parse_tags, unfold

Found = Sequence[str] | None
"""The values at a name, written as in a zone file, TXT as bare text; None: nobody could say."""


class Status(StrEnum):
    """How a record stands."""

    GOOD = "good"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that should be there, what is there, and what to do."""

    record: Record
    status: Status
    found: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether mail suffers by it."""
        return self.status is not Status.GOOD and self.record.need is Need.REQUIRED


def check_record(record: Record, found: Found) -> Checked:
    """Compare a record with what the DNS has at its name."""
    if found is None:
        return Checked(record, Status.UNKNOWN, (), "The DNS did not answer. Try again later.")
    relevant = tuple(value for value in found if _is_of_its_sort(record, value))
    if not relevant:
        return Checked(record, Status.MISSING, tuple(found), "Add the record.")
    remedy = _find_fault(record, relevant)
    return Checked(record, Status.DIFFERENT if remedy else Status.GOOD, relevant, remedy)


def _find_fault(record: Record, found: Sequence[str]) -> str:
    """Return what is to be done, or nothing."""
    match record.kind:
        case Kind.TXT:
            return _txt_fault(record, found)
        case Kind.MX:
            return _mx_fault(record, found)
        case Kind.CAA:
            return ""
        case Kind.TLSA | Kind.PTR:
            return "" if _same(record.value) in map(_same, found) else "Replace the record."
        case _:
            if _same(record.value) not in map(_same, found):
                return "Replace the record."
            return "" if len(found) == 1 or record.kind in (Kind.A, Kind.AAAA) else "Remove the other records."


def _mx_fault(record: Record, found: Sequence[str]) -> str:
    host = _same(record.value.partition(" ")[2])
    preferences = {_same(value.partition(" ")[2]): int(value.partition(" ")[0]) for value in found}
    if host not in preferences:
        return "Mail for the domain goes to another host. Replace the record."
    if preferences[host] > min(preferences.values()):
        return "Another host comes first. Give this one the lowest number."
    return ""


def _txt_fault(record: Record, found: Sequence[str]) -> str:
    sort = _sort_of(record.value)
    if sort == "v=uaac1":  # one of several may vouch for what was served before
        wanted = _tag(record.value, b"d")
        return "" if any(_tag(each, b"d") == wanted for each in found) else "It vouches for others. Replace the record."
    if len(found) > 1 and sort != "v=dkim1":
        return "There are several, and none counts then. Leave one."
    return _TXT_FAULTS[sort](record.value, found[0])


def _spf_fault(wanted: str, found: str) -> str:
    terms = found.lower().split()
    if wanted.split()[1] in {term.lstrip("+") for term in terms} or found == wanted:
        return ""
    return "It may leave out this host. See that it allows it."


def _dkim_fault(wanted: str, found: str) -> str:
    return "" if _tag(wanted, b"p") == _tag(found, b"p") else "It holds another key. Replace the record."


def _dmarc_fault(wanted: str, found: str) -> str:  # noqa: ARG001 - any policy will do
    if _tag(found, b"p") not in (b"none", b"quarantine", b"reject"):
        return "It has no policy. Replace the record."
    return ""


def _mta_sts_fault(wanted: str, found: str) -> str:
    return "" if _tag(wanted, b"id") == _tag(found, b"id") else "It names another policy. Replace the record."


def _any(wanted: str, found: str) -> str:  # noqa: ARG001 - where reports go is the owner's choice
    return ""


_TXT_FAULTS: dict[str, Callable[[str, str], str]] = {
    "v=spf1": _spf_fault,
    "v=dkim1": _dkim_fault,
    "v=dmarc1": _dmarc_fault,
    "v=stsv1": _mta_sts_fault,
    "v=tlsrptv1": _any,
}


def _is_of_its_sort(record: Record, value: str) -> bool:
    """TXT records of other sorts may stand at the same name; a DKIM key need not name its version."""
    if record.kind is not Kind.TXT:
        return True
    sort = _sort_of(record.value)
    return _sort_of(value) == sort or (sort == "v=dkim1" and _tag(value, b"p") is not None)


def _sort_of(text: str) -> str:
    """Return how a text says what it is: `v=spf1`."""
    return text.replace(" ", ";").partition(";")[0].lower()


def _tag(text: str, name: bytes) -> bytes | None:
    try:
        value = parse_tags(text.encode()).get(name)
    except TagListFault:
        return None
    return None if value is None else unfold(value)


def _same(value: str) -> str:
    """Return what two spellings of a value share."""
    return " ".join(value.lower().split()).rstrip(".")
