"""Return paths that name the recipient."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address, AddressFault
from hongyan.queue.verp import default_delimiters, is_return_path_for, return_path, split_claim, verp_address
from hongyan.store.queue import Claim
from tests.queue.values import queued_message, queued_recipient

LIST = Address.parse("list@example.org")


@pytest.mark.parametrize(
    ("sender", "recipient", "delimiters", "named"),
    [
        ("list@example.org", "user@example.net", "+=", "list+user=example.net@example.org"),
        ("list@example.org", "user@example.net", "-=", "list-user=example.net@example.org"),
        ("list@example.org", "u+news@example.net", "+=", "list+u+news=example.net@example.org"),
        ("list@example.org", '"a b"@example.net', "+=", '"list+a b=example.net"@example.org'),
        ("list@example.org", "u@[192.0.2.1]", "+=", '"list+u=[192.0.2.1]"@example.org'),
        ("list@example.org", "鸿@例子.中国", "+=", "list+鸿=xn--fsqu00a.xn--fiqs8s@example.org"),
    ],
)
def test_the_return_path_names_the_recipient_and_is_known_again(
    sender: str, recipient: str, delimiters: str, named: str
) -> None:
    made = verp_address(Address.parse(sender), Address.parse(recipient), delimiters)
    assert str(made) == named
    assert Address.parse(named) == made
    shouted = Address(made.local_part.upper(), made.domain)
    assert is_return_path_for(shouted, Address.parse(sender), Address.parse(recipient))


@pytest.mark.parametrize(
    "other",
    [
        "list@example.org",
        "list+other=example.net@example.org",
        "list+user=example.com@example.org",
        "list+user=example.net@example.com",
        "last+user=example.net@example.org",
        "list+user=example.netx@example.org",
        "x@example.org",
    ],
)
def test_the_return_path_of_another_is_not_taken_for_it(other: str) -> None:
    assert not is_return_path_for(Address.parse(other), LIST, Address.parse("user@example.net"))


def test_what_no_address_can_hold_is_a_fault() -> None:
    with pytest.raises(AddressFault):
        verp_address(LIST, Address.parse("u" * 64 + "@" + "d" * 60 + ".example.net"), "+=")
    # A delimiter and a mark that melt into one character: U+2260.
    with pytest.raises(AddressFault):
        verp_address(LIST, Address("\u0338x", LIST.domain), "=+")


def test_without_the_wish_there_is_one_return_path_and_one_claim() -> None:
    recipients = (queued_recipient("a@example.net"), queued_recipient("b@example.net", number=1))
    plain = Claim(queued_message(reverse_path=LIST), "example.net", recipients)
    assert list(split_claim(plain)) == [plain]
    assert return_path(plain.message, recipients[0].address) == LIST
    wished = Claim(queued_message(reverse_path=LIST, verp="+="), "example.net", recipients)
    assert [one.recipients for one in split_claim(wished)] == [(recipients[0],), (recipients[1],)]


def test_the_first_delimiter_is_what_begins_a_subaddress() -> None:
    assert default_delimiters("-+") == "-="
    assert default_delimiters("+") == "+="
