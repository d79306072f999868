"""Reports between domains: counted and sent once a day, and those of others received and shown."""

from __future__ import annotations

__all__: list[str] = []
