"""A transaction of a stranger: the gate's visit is asked at each stage, then the transaction itself."""

from __future__ import annotations

__all__ = ["VisitTransaction"]

from collections.abc import Awaitable, Callable

from hongyan.addresses import Address
from hongyan.auth.principal import Principal
from hongyan.screening.gate import Visit
from hongyan.screening.verdict import Finding
from hongyan.servers.smtp import Answer, Transaction
from hongyan.servers.tls import TlsInfo
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER
from hongyan.wire.smtp.events import Hello, MailFrom, RcptTo
from hongyan.wire.smtp.replies import Reply


class VisitTransaction:
    """What `servers.smtp` asks for one connection (`Transaction`)."""

    __slots__ = ("_octets", "_reverse_path", "_tell", "_transaction", "_visit")

    def __init__(
        self,
        transaction: Transaction,
        visit: Visit,
        tell: Callable[[Address, Finding], Awaitable[None]] | None = None,
    ) -> None:
        """`tell` is told of recipients that the gate refuses: they may read of it."""
        self._transaction = transaction
        self._visit = visit
        self._tell = tell
        self._reverse_path: Address | None = None
        self._octets = 0

    def hello(self, hello: Hello, *, tls: TlsInfo | None) -> Reply | None:
        return _reply_of(self._visit.hello(hello.name)) or self._transaction.hello(hello, tls=tls)

    async def mail(self, command: MailFrom) -> Reply:
        self._reverse_path = command.reverse_path
        self._octets = 0
        return _reply_of(await self._visit.mail()) or await _whole(self._transaction.mail(command))

    async def recipient(self, command: RcptTo) -> Reply:
        path = command.forward_path
        address = None if path is POSTMASTER else path
        finding = await self._visit.recipient(self._reverse_path, address)
        if finding is not None and finding.reply is not None:
            if self._tell is not None and address is not None:
                await self._tell(address, finding)
            return finding.reply
        reply = await _whole(self._transaction.recipient(command))
        if not reply.is_permanent:
            return reply
        return _reply_of(await self._visit.unknown_recipient()) or reply

    def start(self) -> Reply | None:
        return self._transaction.start()

    def chunk(self, octets: bytes) -> Reply | None:
        self._octets += len(octets)
        return self._transaction.chunk(octets)

    async def end(self) -> Reply:
        refusal = _reply_of(await self._visit.message(self._octets))
        if refusal is not None:
            self._transaction.reset()
            return refusal
        reply = await _whole(self._transaction.end())
        if reply.is_positive:
            self._visit.taken()
        return reply

    def reset(self) -> None:
        self._transaction.reset()

    def logged_in(self, principal: Principal) -> None:
        self._transaction.logged_in(principal)


def _reply_of(finding: Finding | None) -> Reply | None:
    return None if finding is None else finding.reply


async def _whole(answer: Answer) -> Reply:
    reply = answer if isinstance(answer, Reply) else await answer
    return replies.SERVER_ERROR if reply is None else reply
