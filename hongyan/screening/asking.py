"""All checks of a message, asked at once and under one deadline; a check that breaks takes no other down.

What breaks is logged and counts as late: what that means is the check's own setting (`MessageCheck.overdue`).
"""

from __future__ import annotations

__all__ = ["ask_all"]

import asyncio
from collections.abc import Sequence

from hongyan import telemetry
from hongyan.errors import HongyanError
from hongyan.screening.examined import Examined, MessageCheck
from hongyan.screening.verdict import Finding
from hongyan.telemetry import metrics

log = telemetry.logger("screening")


async def ask_all(checks: Sequence[MessageCheck], message: Examined, seconds: float) -> list[Finding]:
    """Return what all the checks find, in their order, within so many seconds."""
    tasks = [asyncio.create_task(_ask(check, message)) for check in checks]
    try:
        await asyncio.wait(tasks, timeout=seconds)
    finally:
        late = [task for task in tasks if task.cancel()]
    findings: list[Finding] = []
    for check, task in zip(checks, tasks, strict=True):
        if task in late:
            log.warning("check-late", check=check.name, mid=message.mid)
            findings.extend(check.overdue())
        else:
            findings.extend(task.result())
    return findings


async def _ask(check: MessageCheck, message: Examined) -> Sequence[Finding]:
    try:
        return await check.judge(message)
    except HongyanError as error:
        log.error("check-failed", check=check.name, mid=message.mid, error=type(error).__name__, cause=error.cause)
    except Exception as error:  # noqa: BLE001 - no check takes the others down
        metrics.panic_total.labels("screening").inc()
        log.error("panic", error=error, check=check.name, mid=message.mid)
    return check.overdue()
