"""What became of one picture of a viewer's mailboxes in the next."""

from __future__ import annotations

from hongyan.addresses import Address
from hongyan.mailboxes.picture import Picture, compare
from hongyan.mailboxes.reach import Place, Viewer, own_place
from hongyan.store.mailboxes import Mailbox
from hongyan.types import AccountId, MailboxId, ModSeq, UidValidity

ANNA = Viewer(AccountId(1), Address.parse("anna@hongyan.test"))


def place(number: int, name: str, *, modseq: int = 1, messages: int = 0) -> Place:
    mailbox = Mailbox(
        MailboxId(number), name, "", UidValidity(9), messages + 1, ModSeq(modseq), messages, 0, subscribed=True
    )
    return own_place(ANNA, mailbox)


def picture(*places: Place, subscribed: tuple[str, ...] = (), **notes: dict[str, int]) -> Picture:
    return Picture({one.name: one for one in places}, frozenset(subscribed), notes)


def test_nothing_became_of_what_is_the_same() -> None:
    found = compare(picture(place(1, "INBOX")), picture(place(1, "INBOX")))
    assert not any((found.made, found.gone, found.renamed, found.changed, found.subscriptions, found.noted))


def test_a_mailbox_is_known_by_its_number_whatever_its_name() -> None:
    found = compare(picture(place(1, "INBOX"), place(2, "Old")), picture(place(1, "INBOX"), place(2, "New")))
    assert found.renamed == [("Old", "New")]
    assert not found.made
    assert not found.gone


def test_what_is_below_a_renamed_mailbox_is_not_told_for_itself() -> None:
    old = picture(place(1, "A"), place(2, "A/B"), place(3, "A/B/C"), place(4, "A/D"))
    new = picture(place(1, "Z"), place(2, "Z/B"), place(3, "Z/B/C"), place(4, "Elsewhere"))
    assert compare(old, new).renamed == [("A", "Z"), ("A/D", "Elsewhere")]


def test_a_mailbox_made_anew_under_its_name_is_gone_and_made() -> None:
    found = compare(picture(place(1, "Work")), picture(place(2, "Work")))
    assert found.made == ["Work"]
    assert [one.name for one in found.gone] == ["Work"]


def test_what_has_another_modseq_has_changed() -> None:
    found = compare(picture(place(1, "INBOX")), picture(place(1, "INBOX", modseq=2, messages=1)))
    assert [(was.mailbox.messages, now.mailbox.messages) for was, now in found.changed] == [(0, 1)]


def test_subscriptions_are_told_in_both_directions() -> None:
    found = compare(picture(subscribed=("A", "B")), picture(subscribed=("B", "C")))
    assert found.subscriptions == ["A", "C"]


def test_notes_go_with_their_mailbox_and_are_told_when_they_are_gone() -> None:
    old = picture(place(1, "Old"), Old={"/private/comment": 1, "/shared/comment": 2})
    new = picture(place(1, "New"), New={"/private/comment": 1})
    assert compare(old, new).noted == {"New": ["/shared/comment"]}
