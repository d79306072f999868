"""What an account's owner is told by mail: what changed in its security, and each month who logged in."""

from __future__ import annotations

__all__ = ["NOTICED", "Letter", "digest_text", "notice_text"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hongyan.audit.events import AuditEvent
from hongyan.store.accounts import Locale
from hongyan.store.audit import LoginFold

_EN, _ZH = Locale.EN, Locale.ZH

NOTICED: Final[Mapping[str, Mapping[Locale, str]]] = {
    AuditEvent.PASSWORD_CHANGED.value: {_EN: "Your password was changed", _ZH: "您的密码已更改"},
    AuditEvent.APP_PASSWORD_CREATED.value: {_EN: "An app password was made", _ZH: "已创建新的授权码"},
    AuditEvent.CLIENT_CERTIFICATE_ISSUED.value: {
        _EN: "A certificate for a mail program was issued",
        _ZH: "已为邮件程序签发证书",
    },
    AuditEvent.API_KEY_CREATED.value: {_EN: "A key for a program was made", _ZH: "已为程序创建密钥"},
    AuditEvent.SECOND_FACTOR_ENABLED.value: {_EN: "Two-step verification was switched on", _ZH: "两步验证已开启"},
    AuditEvent.SECOND_FACTOR_DISABLED.value: {_EN: "Two-step verification was switched off", _ZH: "两步验证已关闭"},
    AuditEvent.RECOVERY_CODES_MADE.value: {_EN: "New recovery codes were made", _ZH: "已生成新的恢复码"},
    AuditEvent.RECOVERY_CODE_USED.value: {_EN: "A recovery code was used", _ZH: "有人使用了恢复码"},
    AuditEvent.PASSKEY_ADDED.value: {_EN: "A passkey was added", _ZH: "已添加通行密钥"},
    AuditEvent.PASSKEY_REMOVED.value: {_EN: "A passkey was removed", _ZH: "已移除通行密钥"},
    AuditEvent.STRANGER_REPORTED.value: {_EN: "You reported a login that was not yours", _ZH: "您报告了非本人的登录"},
    AuditEvent.WEB_SESSION_OPENED.value: {_EN: "A new browser logged in", _ZH: "有新的浏览器登录"},
}
"""What is told of, and how the letter is called."""

_NOTICE: Final = {
    _EN: """\
{title}.

Account:  {account}
When:     {when}
From:     {place}
What:     {label}

If that was you, there is nothing to do.

If it was not, open {url}, look under Security at the logins, and choose "This was not me": it ends what
was opened and asks you for a new password. If you cannot log in any more, ask your admin.
""",
    _ZH: """\
{title}。

账户：{account}
时间：{when}
来源：{place}
内容：{label}

如果是您本人的操作，无需理会。

如果不是，请打开 {url}，在“安全”中查看登录记录，选择“这不是我”：系统会结束可疑的登录，
并请您设置新密码。如果已无法登录，请联系管理员。
""",
}

_DIGEST: Final = {
    _EN: (
        "Who logged in to {account} lately",
        """\
These logins were seen last, most of them in the past month:

{lines}

Is one of them not yours? Open {url}, look under Security, and choose "This was not me".
""",
        "{last}  {count} x {service}, {result}, from {place} {client}",
        ("succeeded", "failed"),
    ),
    _ZH: (
        "{account} 的登录记录",
        """\
最近的登录记录（主要为过去一个月）：

{lines}

如有非本人的登录，请打开 {url}，在“安全”中选择“这不是我”。
""",
        "{last}  {service} {count} 次，{result}，来自 {place} {client}",
        ("成功", "失败"),
    ),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a text."""

    subject: str
    text: str


def notice_text(
    event: str, locale: Locale, *, account: str, when: datetime, place: str, label: str, url: str
) -> Letter:
    """Return the letter about an act that `NOTICED` names; `when` is in the zone of its reader."""
    title = NOTICED[event][locale]
    text = _NOTICE[locale].format(
        title=title, account=account, when=_moment(when), place=place or "-", label=label or "-", url=url
    )
    return Letter(f"{title}: {account}", text)


def digest_text(logins: Sequence[tuple[LoginFold, str, datetime]], locale: Locale, *, account: str, url: str) -> Letter:
    """Return the letter about logins, each with its place and the time of the last in the zone of its reader."""
    subject, text, line, (succeeded, failed) = _DIGEST[locale]
    lines = "\n".join(
        line.format(
            last=_moment(last),
            count=fold.count,
            service=fold.kind.service,
            result=succeeded if fold.kind.result == "ok" else failed,
            place=f"{fold.kind.address} ({place})" if place else fold.kind.address,
            client=fold.kind.client or fold.kind.label,
        ).rstrip()
        for fold, place, last in logins
    )
    return Letter(subject.format(account=account), text.format(lines=lines, url=url))


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M %Z")
