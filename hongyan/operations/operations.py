"""All operations by name."""

from __future__ import annotations

__all__ = ["Operations"]

from collections.abc import Mapping

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.errors import Refused
from hongyan.operations.accounts import account_operations
from hongyan.operations.aliases import alias_operations
from hongyan.operations.app_passwords import app_password_operations
from hongyan.operations.bans import ban_operations
from hongyan.operations.calling import Caller, Document, Operation, check_parameters
from hongyan.operations.domains import domain_operations
from hongyan.operations.mail import mail_operations
from hongyan.operations.queue import queue_operations
from hongyan.operations.store import store_operations


class Operations:
    """What can be done to a service, by name: `domain.add`, `queue.list`."""

    def __init__(self, ground: Ground, services: Services) -> None:
        self._table: Mapping[str, Operation] = {
            **domain_operations(services, ground.config, ground.clock),
            **account_operations(services, ground.random),
            **app_password_operations(services),
            **alias_operations(services),
            **queue_operations(services),
            **ban_operations(services),
            **mail_operations(ground, services),
            **store_operations(ground, services),
        }

    async def call(self, name: str, parameters: Document, caller: Caller) -> Document:
        """Do it, and return the answer. Raises `HongyanError`."""
        operation = self._table.get(name)
        if operation is None:
            raise Refused(f"There is no operation {name}. Is the server of another version?")
        check_parameters(name, operation, parameters)
        return await operation(caller, **parameters)
