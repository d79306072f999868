"""Notifications: what they say, what they return, and how many there are."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

import pytest

from hongyan.addresses import Address
from hongyan.errors import Corrupt
from hongyan.message.dsn import Action
from hongyan.queue.causes import Cause
from hongyan.queue.items import Queue
from hongyan.queue.notices import NoticeLimit, NoticeWriter
from hongyan.queue.outcome import Notice, Outcome, Result, Stage
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.store.queue import NewMessage
from hongyan.types import AccountId
from hongyan.wire.smtp.parameters import Body, Notify, OriginalRecipient, Ret
from hongyan.wire.smtp.replies import Reply
from tests.queue.values import NOW, queued_message, queued_recipient
from tests.support.clock import FakeClock, FakeRandom
from tests.support.queue import MemoryQueue
from tests.support.reports import require_exact

ANN = Address.parse("ann@example.org")
REFUSED = Outcome.from_reply(Reply(550, "5.1.1", ("No such user",)), Stage.RECIPIENT, "mx.example.net[192.0.2.1]")
BUSY = Outcome.from_reply(Reply(451, "4.7.1", ("Greylisted",)), Stage.RECIPIENT, "mx.example.net[192.0.2.1]")
TAKEN = Outcome(result=Result.DELIVERED, stage=Stage.END, status="2.0.0", text="250 OK", code=250)


@dataclass
class Octets:
    octets: bytes = b"Subject: geese\r\nMessage-ID: <1@example.org>\r\n\r\nthe body\r\n"

    @property
    def header(self) -> bytes:
        return self.octets.partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def size(self) -> int:
        return len(self.octets)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.octets


def writer(**fields: object) -> NoticeWriter:
    clock = FakeClock(NOW)
    queue = Queue(MemoryQueue(), SteadyClock(clock), Schedule(), lambda destinations: None)
    return NoticeWriter("mail.example.org", queue, clock, FakeRandom(), **fields)  # type: ignore[arg-type]


def failed(outcome: Outcome = REFUSED, **fields: object) -> Notice:
    return Notice(Action.FAILED, queued_recipient(**fields), outcome)  # type: ignore[arg-type]


async def make(*notices: Notice, content: Octets | None = Octets(), **fields: object) -> NewMessage:  # noqa: B008
    made = await writer().make(queued_message(**fields), notices or (failed(),), content)
    assert made is not None
    require_exact(bytes(made.octets or b""))
    return made


def parsed(made: NewMessage) -> tuple[EmailMessage, str, str, str]:
    """The message, its text for people, its report for programs, and what it returns."""
    message = email.message_from_bytes(bytes(made.octets or b""), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    people, programs, returned = message.get_payload()
    report = "\n".join(part.as_string() for part in programs.get_payload())
    return message, people.get_content(), report, returned.as_string()


async def test_a_failure_is_explained_in_both_languages_and_in_the_servers_words() -> None:
    made = await make()
    message, people, report, returned = parsed(made)
    assert (made.reverse_path, [str(one.address) for one in made.recipients]) == (None, ["ann@example.org"])
    assert made.recipients[0].notify is Notify.NEVER
    assert (made.queued_at, made.expires, made.trace_id) == (NOW, NOW + timedelta(days=5), "mid")
    assert message["From"] == "Mail Delivery System <postmaster@mail.example.org>"
    assert message["In-Reply-To"] == "<1@example.org>"
    assert "bob@example.net" in people
    assert "对方域名下没有这个邮箱" in people
    assert "There is no such mailbox" in people
    assert "mx.example.net: 550 5.1.1 No such user" in people
    for line in ("Action: failed", "Status: 5.1.1", "Remote-MTA: dns; mx.example.net", "Final-Recipient: rfc822; bob@"):
        assert line in report
    assert "Diagnostic-Code: smtp; 550 5.1.1 No such user" in report
    assert "the body" in returned


async def test_all_recipients_of_an_attempt_share_one_notification() -> None:
    made = await make(failed(), Notice(Action.DELAYED, queued_recipient("eve@example.net", number=1), BUSY))
    _, people, report, _ = parsed(made)
    assert people.count("@example.net>") == 2
    assert report.count("Final-Recipient") == 2
    assert "Action: delayed" in report
    assert "Will-Retry-Until" in report


async def test_who_ran_out_of_time_is_told_so_with_the_last_answer() -> None:
    made = await make(Notice(Action.FAILED, queued_recipient(), BUSY, is_expired=True))
    _, people, report, _ = parsed(made)
    assert "Status: 4.4.7" in report
    assert "451 4.7.1 Greylisted" in report
    assert "不再重试" in people


async def test_our_own_findings_are_no_smtp_reply() -> None:
    made = await make(failed(Outcome.from_cause(Cause.NULL_MX, Stage.ROUTE)))
    assert "Diagnostic-Code: x-hongyan; The domain takes no mail" in parsed(made)[2]


@pytest.mark.parametrize("action", [Action.RELAYED, Action.DELIVERED])
async def test_success_is_told_without_a_cause(action: Action) -> None:
    recipient = queued_recipient(original=OriginalRecipient("rfc822", "bob@alias.example"))
    _, _, report, returned = parsed(await make(Notice(action, recipient, TAKEN)))
    assert f"Action: {action}" in report
    assert "Original-Recipient: rfc822; bob@alias.example" in report
    assert "Diagnostic-Code" not in report
    assert "the body" not in returned


async def test_only_the_header_is_returned_where_the_sender_or_size_asks_for_it() -> None:
    for made in (
        await make(ret=Ret.HDRS),
        await make(content=Octets(b"Subject: geese\r\n\r\n" + b"the body\r\n" * 10_000)),
        await make(Notice(Action.DELAYED, queued_recipient(), BUSY)),
    ):
        returned = parsed(made)[3]
        assert "the body" not in returned
        assert "Subject: geese" in returned


async def test_a_message_that_cannot_be_read_is_notified_without_it() -> None:
    assert "Status: 5.1.1" in parsed(await make(content=None))[2]


async def test_content_that_breaks_is_the_callers_matter() -> None:
    content = Octets()

    async def broken() -> AsyncIterator[bytes]:
        raise Corrupt(cause="gone")
        yield b""

    content.chunks = broken  # type: ignore[method-assign]
    with pytest.raises(Corrupt):
        await make(content=content)


async def test_the_null_path_is_told_nothing() -> None:
    assert await writer().make(queued_message(reverse_path=None), (failed(),), Octets()) is None


async def test_non_ascii_addresses_make_it_global_where_the_way_back_takes_it() -> None:
    chinese = failed(address="鸿雁@例子.中国")
    made = await make(chinese, reverse_path=Address.parse("张三@例子.中国"), smtputf8=True)
    assert (made.smtputf8, made.body) == (True, Body.EIGHT_BIT)
    assert "utf-8; 鸿雁@" in bytes(made.octets or b"").decode()
    assert (await make(chinese, account=AccountId(1))).smtputf8


async def test_nobody_knows_whether_the_server_of_an_ascii_address_takes_smtputf8() -> None:
    made = await make(failed(address="鸿雁@例子.中国"), smtputf8=True)
    assert not made.smtputf8
    assert bytes(made.octets or b"").isascii()


async def test_what_asked_for_tls_is_notified_by_tls_and_by_its_header() -> None:
    made = await make(failed(), require_tls=True, ret=Ret.FULL)
    assert made.require_tls
    assert b"text/rfc822-headers" in bytes(made.octets or b"")
    assert not (await make(failed())).require_tls


async def test_the_log_of_this_server_is_named() -> None:
    assert b"\r\nFinal-Log-ID: 8fe881c3\r\n" in bytes((await make(failed(), trace_id="8fe881c3")).octets or b"")


async def test_notifications_are_signed() -> None:
    signing = writer(sign=lambda octets, to: b"DKIM-Signature: %d %s\r\n" % (len(octets), str(to).encode()))
    made = await signing.make(queued_message(), (failed(),), Octets())
    assert made is not None
    assert made.prefix == b"DKIM-Signature: %d ann@example.org\r\n" % made.size


async def test_a_sender_is_told_a_hundred_times_an_hour_and_no_more() -> None:
    clock = FakeClock(NOW)
    limit = NoticeLimit()
    assert sum(limit.allows(ANN, clock.now()) for _ in range(150)) == 100
    assert limit.allows(Address.parse("eve@example.org"), clock.now())
    assert not limit.allows(Address.parse("ANN@example.org"), clock.now())
    assert not limit.allows(ANN, clock.now() + timedelta(minutes=59))
    assert limit.allows(ANN, clock.now() + timedelta(minutes=61))


async def test_who_has_a_return_path_for_each_recipient_is_told_a_thousand_times_an_hour() -> None:
    limit = NoticeLimit()
    assert sum(limit.allows(ANN, NOW, by_recipient=True) for _ in range(1500)) == 1000
    quiet = writer(limit=NoticeLimit(1, 2))
    made = [await quiet.make(queued_message(verp="+="), (failed(),), Octets()) for _ in range(3)]
    assert [one is not None for one in made] == [True, True, False]


async def test_above_the_limit_no_notification_is_made() -> None:
    quiet = writer(limit=NoticeLimit(1))
    assert await quiet.make(queued_message(), (failed(),), Octets()) is not None
    assert await quiet.make(queued_message(), (failed(),), Octets()) is None


def test_the_limit_remembers_a_bounded_number_of_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.queue.notices._MOST_SENDERS", 3)
    limit = NoticeLimit(1)
    for number in range(10):
        assert limit.allows(Address.parse(f"a{number}@example.org"), NOW)
    assert len(limit._hours) == 3
