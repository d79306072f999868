"""All operations by name."""

from __future__ import annotations

__all__ = ["Operations"]

from collections.abc import Awaitable, Callable, Mapping

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.audit.events import Actor
from hongyan.errors import Refused
from hongyan.operations.accounts import account_operations
from hongyan.operations.aliases import alias_operations
from hongyan.operations.app_passwords import app_password_operations
from hongyan.operations.autoconfig import autoconfig_operations
from hongyan.operations.bans import ban_operations
from hongyan.operations.calling import Caller, Document, Operation, check_parameters
from hongyan.operations.certificates import certificate_operations
from hongyan.operations.client_certificates import client_certificate_operations
from hongyan.operations.domains import domain_operations
from hongyan.operations.listeners import listener_operations
from hongyan.operations.mail import mail_operations
from hongyan.operations.mailboxes import mailbox_operations
from hongyan.operations.queue import queue_operations
from hongyan.operations.reports import report_operations
from hongyan.operations.search import search_operations
from hongyan.operations.sending import sending_operations
from hongyan.operations.server import server_operations
from hongyan.operations.settings import settings_operations
from hongyan.operations.spam import spam_operations
from hongyan.operations.store import store_operations
from hongyan.operations.suppressions import suppression_operations
from hongyan.operations.timelines import timeline_operations
from hongyan.operations.transport import transport_operations
from hongyan.operations.virus import virus_operations


class Operations:
    """What can be done to a service, by name: `domain.add`, `queue.list`."""

    def __init__(self, ground: Ground, services: Services) -> None:
        self._table: Mapping[str, Operation] = {
            **domain_operations(services, ground.config, ground.clock),
            **server_operations(services, ground.config),
            **account_operations(services, ground.random),
            **sending_operations(services),
            **settings_operations(services),
            **app_password_operations(services),
            **client_certificate_operations(services),
            **alias_operations(services),
            **mailbox_operations(services),
            **queue_operations(services),
            **transport_operations(services),
            **ban_operations(services),
            **suppression_operations(services),
            **certificate_operations(services, ground.config, ground.clock),
            **autoconfig_operations(services, ground.config),
            **listener_operations(services, ground.clock),
            **mail_operations(ground, services),
            **store_operations(ground, services),
            **timeline_operations(services),
            **virus_operations(ground, services),
            **search_operations(services),
            **spam_operations(services),
            **report_operations(services, ground.clock),
        }

    def find(self, name: str) -> Callable[..., Awaitable[Document]] | None:
        """Return an operation as it is declared."""
        return self._table.get(name)

    async def call_as(self, name: str, parameters: Document, actor: Actor) -> Document:
        """Do it for somebody who is not at the machine. Raises `HongyanError`."""
        return await self.call(name, parameters, Caller(actor))

    async def call(self, name: str, parameters: Document, caller: Caller) -> Document:
        """Do it, and return the answer. Raises `HongyanError`."""
        operation = self._table.get(name)
        if operation is None:
            raise Refused(f"There is no operation {name}. Is the server of another version?")
        check_parameters(name, operation, parameters)
        return await operation(caller, **parameters)
