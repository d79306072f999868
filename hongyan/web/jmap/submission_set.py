"""EmailSubmission/set (RFC 8621 §7.5): an email is sent by the same way as by SMTP, or taken back before."""

from __future__ import annotations

__all__ = ["set_submissions"]

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hongyan.errors import Corrupt
from hongyan.submission.transaction import SubmissionTransaction
from hongyan.types import QueueId
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_services import locate, read_octets
from hongyan.web.jmap.envelope import Envelope, envelope_of_message, read_envelope
from hongyan.web.jmap.identity import find_identities
from hongyan.web.jmap.ids import email_id, read_email_id, thread_id
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state
from hongyan.web.jmap.submission_record import (
    KIND,
    MOST_KEPT,
    Submission,
    SubmissionServices,
    list_submissions,
    tell_delivery,
)
from hongyan.wire.jmap.faults import SetError, invalid_arguments, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import read_set
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import Hello
from hongyan.wire.smtp.parameters import Body, MailParameters
from hongyan.wire.smtp.replies import Reply

_GIVEN: Final = frozenset({"identityId", "emailId", "envelope"})
_PROTOCOL: Final = "HTTPS"


async def set_submissions(services: SubmissionServices, call: Call) -> Mapping[str, object]:
    """Send, take back and forget; then change or destroy the emails of what was sent, as asked."""
    updates = call.arguments.find_records("onSuccessUpdateEmail", references=True) or {}
    destroys = call.arguments.find_ids("onSuccessDestroyEmail", references=True) or []
    asked = read_set(call.arguments, services.identities.max_objects_in_set)
    found, state = await list_submissions(services, call.account)
    require_state(asked.if_in_state, str(state))
    _require_touched([*updates, *destroys], [*asked.create], [*asked.update, *asked.destroy])
    result, setting = SetResult(call, str(state)), _Setting(services, call, found)
    for key, record in asked.create.items():
        await result.create(key, lambda record=record: setting.create(record))  # type: ignore[misc]  # bound here
    for key, patch in asked.update.items():
        await result.update(key, lambda one, patch=patch: setting.update(one, patch))  # type: ignore[misc]
    for key in asked.destroy:
        await result.destroy(key, setting.destroy)
    _follow(call, setting.done, updates, destroys)
    return result.tell(str((await list_submissions(services, call.account))[1]))


def _require_touched(named: Sequence[str], created: Sequence[str], others: Sequence[str]) -> None:
    """Raise `MethodError` for what follows a submission that this call does not speak of."""
    known = {*(f"#{key}" for key in created), *others}
    unknown = [one for one in named if one not in known]
    if unknown:
        raise invalid_arguments(f"{unknown[0]!r} is no submission of this call.")


def _follow(
    call: Call, done: Mapping[str, str], updates: Mapping[str, Mapping[str, object]], destroys: Sequence[str]
) -> None:
    """Have Email/set called for the emails of what succeeded. `done` holds the email by the submission's id."""
    update = {done[one]: patch for key, patch in updates.items() if (one := call.created.resolve(key) or "") in done}
    destroy = [done[one] for key in destroys if (one := call.created.resolve(key) or "") in done]
    if update or destroy:
        arguments = {"accountId": call.account_id, "update": update or None, "destroy": destroy or None}
        call.follow_with("Email/set", arguments)


class _Setting:
    """Changes to the submissions of one account. `done` holds what succeeded: the email by the submission's id."""

    def __init__(self, services: SubmissionServices, call: Call, found: Mapping[str, Submission]) -> None:
        self._services = services
        self._call = call
        self._account = call.account
        self._found = dict(found)
        self.done: dict[str, str] = {}

    async def create(self, record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Send an email. Raises `SetError`."""
        unknown = set(record) - _GIVEN
        if unknown:
            raise invalid_properties(unknown)
        identity = await self._identity(record.get("identityId"))
        email, thread, octets = await self._email(record.get("emailId"))
        given = record.get("envelope")
        envelope = envelope_of_message(octets) if given is None else read_envelope(given)
        self._require_room(envelope, octets)
        mid, queue_id, delay = await self._send(envelope, octets)
        now = self._services.clock.now()
        made = Submission(
            submission_id="S" + self._services.random.token(8).hex(),
            identity=identity,
            email=email,
            thread=thread,
            envelope=envelope.shown,
            send_at=int((now + delay).timestamp()),
            mid=mid,
            queue_id=queue_id,
        )
        await self._keep(made)
        self.done[made.submission_id] = email
        told = made.describe(now)
        news = {name: value for name, value in told.items() if name not in record or record[name] is None}
        return made.submission_id, {**news, "deliveryStatus": await tell_delivery(self._services, self._account, made)}

    async def _identity(self, given: object) -> str:
        resolved = self._call.created.resolve(given) if isinstance(given, str) else None
        if resolved not in (await find_identities(self._services.identities, self._account))[0]:
            raise invalid_properties(["identityId"], "There is no such identity.")
        return str(resolved)

    async def _email(self, given: object) -> tuple[str, str, bytes]:
        """Return the ids of the email and its thread, and the message."""
        emails = self._services.emails
        resolved = self._call.created.resolve(given) if isinstance(given, str) else None
        number = None if resolved is None else read_email_id(resolved, self._account)
        located = {} if number is None else await locate(emails, self._account, [number])
        if number is None or number not in located:
            raise invalid_properties(["emailId"], "There is no such email.")
        for record in await emails.placements.read_emails(self._account, [number]):
            try:
                return email_id(number), thread_id(located[number].thread), await read_octets(emails, record)
            except Corrupt:
                raise SetError("invalidEmail", "The message cannot be read.") from None
        raise invalid_properties(["emailId"], "There is no such email.")

    def _require_room(self, envelope: Envelope, octets: bytes) -> None:
        services = self._services
        if not envelope.recipients:
            raise SetError("noRecipients", "Nobody is to get it.")
        if len(envelope.recipients) > services.max_recipients:
            raise SetError("tooManyRecipients", maxRecipients=services.max_recipients)
        if len(octets) > services.max_message:
            raise SetError("tooLarge", "The message is too large to be sent.", maxSize=services.max_message)

    async def _send(self, envelope: Envelope, octets: bytes) -> tuple[str, QueueId, timedelta]:
        """Hand the message over as a mail program does by SMTP. Raises `SetError`."""
        visitor = self._call.visitor
        transaction = SubmissionTransaction(self._services.transactions, visitor.peer, "", _PROTOCOL)
        transaction.hello(Hello("localhost", None), tls=None)
        transaction.logged_in(visitor.principal)
        parameters = _complete(envelope, octets)
        mail = replace(envelope.mail, parameters=parameters)
        _require_taken(await _answer(transaction.mail(mail)))
        refused = [
            str(one.forward_path)
            for one in envelope.recipients
            if not (await _answer(transaction.recipient(one))).is_positive
        ]
        if refused:
            raise SetError("invalidRecipients", "There is no mail for them.", invalidRecipients=refused)
        refusal = transaction.start() or transaction.chunk(octets)
        if refusal is not None:
            _require_taken(refusal)
        handed = await transaction.hand_over()
        if handed.queue_id is None:
            raise _as_set_error(handed.reply)
        return handed.mid, handed.queue_id, self._delay(parameters)

    def _delay(self, parameters: MailParameters) -> timedelta:
        if parameters.hold_until is not None:
            return max(parameters.hold_until - self._services.clock.now(), timedelta(0))
        return parameters.hold_for or timedelta(0)

    async def _keep(self, made: Submission) -> None:
        """Store a record; the oldest that are final give way. What is sent is sent, whatever becomes of this."""
        now = self._services.clock.now()
        self._found[made.submission_id] = made
        surplus = len(self._found) - MOST_KEPT
        old = [one for one, it in self._found.items() if it.undo_status(now) != "pending"][: max(surplus, 0)]
        for one in old:
            del self._found[one]
        await self._services.records.change_records(
            self._account,
            KIND,
            put={made.submission_id: made.document} if made.submission_id in self._found else {},
            remove=old,
            most=1 << 30,
        )

    async def update(self, submission_id: str, patch: Mapping[str, object]) -> None:
        """Take a submission back. Raises `SetError`: cannotUnsend when its time has come, which the queue decides."""
        found = self._found.get(submission_id)
        if found is None:
            raise SetError("notFound")
        before = found.describe(self._services.clock.now())
        after = apply_patch(before, patch)
        changed = {name for name in {*after, *before} if after.get(name) != before.get(name)} - {"deliveryStatus"}
        if changed - {"undoStatus"}:
            raise invalid_properties(changed - {"undoStatus"}, "This cannot be changed.")
        if changed:
            if after.get("undoStatus") != "canceled":
                raise invalid_properties(["undoStatus"], "It can be canceled, and nothing else.")
            if not await self._services.acts.cancel(QueueId(found.queue_id), self._account):
                raise SetError("cannotUnsend", "It has left, or is about to.")
            canceled = replace(found, canceled=True)
            self._found[submission_id] = canceled
            put = {submission_id: canceled.document}
            await self._services.records.change_records(self._account, KIND, put=put, most=1 << 30)
        self.done[submission_id] = found.email

    async def destroy(self, submission_id: str) -> None:
        """Forget a submission; what waits to be sent is sent all the same (RFC 8621 §7). Raises `SetError`."""
        found = self._found.pop(submission_id, None)
        if found is None:
            raise SetError("notFound")
        await self._services.records.change_records(self._account, KIND, remove=[submission_id], most=1 << 30)
        self.done[submission_id] = found.email


def _complete(envelope: Envelope, octets: bytes) -> MailParameters:
    """Return the parameters with what the message needs: a client of JMAP does not count octets."""
    parameters = envelope.mail.parameters
    path = envelope.mail.reverse_path
    header = octets[: max(octets.find(b"\r\n\r\n"), 0)]
    addresses = [path, *(one.forward_path for one in envelope.recipients)]
    beyond_ascii = not header.isascii() or any(
        getattr(address, "is_ascii", True) is False for address in addresses if address is not None
    )
    body = parameters.body or (Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT)
    return replace(parameters, body=body, smtputf8=parameters.smtputf8 or beyond_ascii)


async def _answer(answer: Reply | Coroutine[object, object, Reply]) -> Reply:
    return answer if isinstance(answer, Reply) else await answer


def _require_taken(reply: Reply) -> None:
    if not reply.is_positive:
        raise _as_set_error(reply)


def _as_set_error(reply: Reply) -> SetError:
    """Return the error of RFC 8621 §7.5 that a refusal is."""
    if reply == replies.SENDER_NOT_YOURS:
        return SetError("forbiddenMailFrom", reply.text)
    if reply == replies.FROM_NOT_YOURS:
        return SetError("forbiddenFrom", reply.text)
    if reply == replies.FROM_NOT_SINGLE:
        return SetError("invalidEmail", reply.text, properties=["from"])
    if reply in (replies.MESSAGE_MALFORMED, replies.MESSAGE_LOOPS):
        return SetError("invalidEmail", reply.text, properties=[])
    if reply == replies.HELD_TOO_LONG:
        return invalid_properties(["envelope"], reply.text)
    if not reply.is_permanent:
        return SetError("rateLimit", reply.text)
    return SetError("forbiddenToSend", reply.text)
