"""From an answer to a cause in plain words: the catalogue of what the large providers answer, then the standard codes.

An answer is looked for among those of the provider that gave it, known by the host's name or by what its answers carry
(`gsmtp`, a link to its help); then among those of programs that many run. Else its status code speaks (RFC 3463), or
its words, as `classification` reads them, where the code says little. Each step takes time linear in a bounded text.
Pure.
"""

from __future__ import annotations

__all__ = ["ANSWERS", "find_answer", "plain_cause", "provider_of"]

from collections.abc import Mapping
from typing import Final

from hongyan.queue.answers import Answer, Provider
from hongyan.queue.answers_china import ANSWERS_CHINA
from hongyan.queue.answers_google import ANSWERS_GOOGLE
from hongyan.queue.answers_microsoft import ANSWERS_MICROSOFT
from hongyan.queue.answers_others import ANSWERS_OTHERS
from hongyan.queue.causes import Cause
from hongyan.queue.classification import MAX_READ, BounceClass, classify
from hongyan.queue.outcome import Stage
from hongyan.queue.plain_causes import PlainCause
from hongyan.queue.status_causes import CAUSES, cause_of_status

ANSWERS: Final[tuple[Answer, ...]] = (*ANSWERS_CHINA, *ANSWERS_GOOGLE, *ANSWERS_MICROSOFT, *ANSWERS_OTHERS)
"""All answers that are known."""

_BY_PROVIDER: Final[Mapping[Provider, tuple[Answer, ...]]] = {
    provider: tuple(answer for answer in ANSWERS if answer.provider is provider) for provider in Provider
}

_HOSTS: Final[Mapping[str, Provider]] = {
    "qq.com": Provider.TENCENT,
    "exmail.qq.com": Provider.TENCENT,
    "163.com": Provider.NETEASE,
    "126.com": Provider.NETEASE,
    "188.com": Provider.NETEASE,
    "yeah.net": Provider.NETEASE,
    "netease.com": Provider.NETEASE,
    "aliyun.com": Provider.ALIYUN,
    "alibaba.com": Provider.ALIYUN,
    "mxhichina.com": Provider.ALIYUN,
    "aliyun-inc.com": Provider.ALIYUN,
    "google.com": Provider.GOOGLE,
    "googlemail.com": Provider.GOOGLE,
    "outlook.com": Provider.MICROSOFT,
    "hotmail.com": Provider.MICROSOFT,
    "office365.com": Provider.MICROSOFT,
    "mx.microsoft": Provider.MICROSOFT,
    "yahoodns.net": Provider.YAHOO,
    "icloud.com": Provider.APPLE,
    "me.com": Provider.APPLE,
    "apple.com": Provider.APPLE,
}
"""By the last labels of the receiving host's name."""

_MARKS: Final[Mapping[str, Provider]] = {
    "service.mail.qq.com": Provider.TENCENT,
    "mail.163.com/help": Provider.NETEASE,
    "gsmtp": Provider.GOOGLE,
    "prod.protection.outlook.com": Provider.MICROSOFT,
    "yahooinc.com": Provider.YAHOO,
    "support.apple.com": Provider.APPLE,
}
"""What a provider's answers carry, for those that a relay hands on."""

_BY_CLASS: Final[Mapping[BounceClass, str]] = {
    BounceClass.UNKNOWN_USER: "mailbox-unknown",
    BounceClass.UNKNOWN_DOMAIN: "domain-unknown",
    BounceClass.FULL: "mailbox-full",
    BounceClass.SPAM: "looks-like-spam",
    BounceClass.UNAUTHENTICATED: "unauthenticated",
    BounceClass.GREYLISTED: "first-contact",
    BounceClass.RATE_LIMITED: "server-too-fast",
    BounceClass.TOO_LARGE: "message-too-large",
    BounceClass.CONTENT: "form-refused",
    BounceClass.BLOCKED: "policy",
}
"""What words alone say, where the code says nothing."""

_SAYS_LITTLE: Final = frozenset({"", "0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "7.1", "7.9"})
"""Details that servers use for everything: the words are believed first."""

_LONGEST_REMOTE: Final = 320
"""Characters: a name (RFC 1035 §2.3.4) and an address. Reports of others may name a host at any length."""

_EXPIRED: Final = Cause.EXPIRED.line.lower()


def provider_of(remote: str, text: str = "") -> Provider:
    """Return who answered. `remote` is a host, with or without its address in brackets."""
    labels = remote[:_LONGEST_REMOTE].partition("[")[0].strip(" .").lower().split(".")
    for at in range(len(labels)):
        found = _HOSTS.get(".".join(labels[at:]))
        if found is not None:
            return found
    words = text[:MAX_READ].lower()
    return next((provider for mark, provider in _MARKS.items() if mark in words), Provider.ANY)


def find_answer(code: int | None, text: str, remote: str = "") -> Answer | None:
    """Return the known answer that this one is: the first that fits."""
    words = text[:MAX_READ].lower()
    provider = provider_of(remote, words)
    lists = (_BY_PROVIDER[provider], _BY_PROVIDER[Provider.ANY])
    return next((answer for known in lists for answer in known if answer.matches(code, words)), None)


def plain_cause(code: int | None, status: str, text: str, remote: str = "", stage: Stage = Stage.END) -> PlainCause:
    """Return why a recipient waits or was refused, for the sender.

    `code` is the reply code, None if nobody replied; `status` the enhanced status code, "" if there was none.
    """
    if text[: len(_EXPIRED)].lower() == _EXPIRED:
        return CAUSES["expired"]
    cause = _judge(code, status, text, remote, stage)
    is_permanent = status.startswith("5") if status else code is not None and code >= 500
    return cause.for_good() if is_permanent else cause


def _judge(code: int | None, status: str, text: str, remote: str, stage: Stage) -> PlainCause:
    answer = find_answer(code, text, remote)
    if answer is not None:
        return CAUSES[answer.cause]
    if status.partition(".")[2] in _SAYS_LITTLE and code is not None:
        named = _BY_CLASS.get(classify(code, status, text, stage))
        if named is not None:
            return CAUSES[named]
    return cause_of_status(status)
