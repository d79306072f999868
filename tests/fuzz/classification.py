"""Any answer has a class, and none that is not permanent is hard."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.queue.classification import classify
from hongyan.queue.outcome import Stage

CORPUS: list[bytes] = [
    b"550 5.1.1 user unknown",
    b"450 4.2.1 receiving mail at a rate",
    b"554 5.7.1 blocked using list, see https://x.example/?a@b",
    "550 5.7.1 用户不存在".encode(),
    b"421 " + b"mailbox is " * 80,
]
_STAGES = list(Stage)


def target(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    code = 400 + sum(octets[:8]) % 200
    enhanced = text[4:10].strip()
    for stage in _STAGES:
        kind = classify(code, enhanced, text, stage)
        assert not kind.is_hard or enhanced.startswith("5") or (not enhanced and code >= 500)
