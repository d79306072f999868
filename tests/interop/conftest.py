"""What the tests with other people's clients share: a running service and a home for each client."""

from __future__ import annotations

from tests.support.clients import _numbers, demo, office, owner

__all__ = ["_numbers", "demo", "office", "owner"]
