"""What is written to the owner of an account that is put on hold, and to postmaster: in Chinese and in English."""

from __future__ import annotations

__all__ = ["HoldNotices"]

from datetime import datetime
from typing import Final

from hongyan.clock import Clock, Random
from hongyan.message.compose import (
    compose,
    format_addresses,
    format_field,
    format_mailbox,
    make_message_id,
    make_text,
)
from hongyan.message.trace import format_date
from hongyan.store.accounts import Account, Locale
from hongyan.store.sending import Hold, Trigger

_CHINESE: Final = {
    Trigger.FIRST_TIME: "一小时内向过多从未联系过的收件人发信",
    Trigger.BOUNCES: "近期发出的邮件中有过多收件地址不存在",
    Trigger.VOLUME: "发信量突然远超平时",
    Trigger.SAME_BODY: "同样的内容发给了许多从未联系过的收件人",
    Trigger.PLACES: "一天内从过多新的国家或网络登录",
    Trigger.OPERATOR: "由管理员暂停",
}
_ENGLISH: Final = {
    Trigger.FIRST_TIME: "too many recipients within an hour that it never wrote to before",
    Trigger.BOUNCES: "too many of its last messages went to addresses that do not exist",
    Trigger.VOLUME: "it suddenly sends far more than usual",
    Trigger.SAME_BODY: "the same text goes to many recipients that it never wrote to before",
    Trigger.PLACES: "logins from too many new countries or networks within a day",
    Trigger.OPERATOR: "an administrator has stopped it",
}

_TO_OWNER_CHINESE: Final = """\
您的账户 {address} 自 {since} 起暂停发信。

原因：{chinese}。
{chinese_heading}：{in_chinese}
队列中等待发送的邮件已暂缓发送，不会丢失。

您仍可登录并收取邮件。如果上述情况不是您本人操作，您的密码可能已经泄露，请：
1. 撤销所有应用专用密码，并修改账户密码；
2. 检查您的电脑和手机是否感染恶意软件；
3. 直接回复本邮件联系管理员，请其恢复发信。
"""
_TO_OWNER_ENGLISH: Final = """\
Sending from your account {address} is on hold since {since}.

Why: {english}.
{english_heading}: {reason}
Mail that waits in the queue is kept back; it is not lost.

You can still log in and read your mail. If this was not you, somebody else may have your password:
1. Revoke all app passwords, and change the account's password.
2. Look for malware on your computers and phones.
3. Ask your administrator, by a reply to this message, to let your account send again.
"""
_TO_POSTMASTER: Final = """\
账户 {address} 自 {since} 起暂停发信：{chinese}。
The account {address} is on hold since {since}: {english}.

{chinese_heading}：{in_chinese}
{english_heading}: {reason}

查看 / look:      hongyan account limits {address}
队列 / queue:     hongyan queue list --account {address}
撤销密码 / revoke: hongyan app-password revoke {address}
恢复 / release:    hongyan account release {address} --reason "..."
丢弃 / drop:       hongyan queue drop --sender {address}
"""


class HoldNotices:
    """Writes the messages."""

    def __init__(self, hostname: str, clock: Clock, random: Random) -> None:
        self._hostname = hostname
        self._clock = clock
        self._random = random

    def for_owner(self, owner: Account, hold: Hold, in_chinese: str) -> bytes:
        """Return the message to the owner, the language of the account first. `in_chinese` is the hold's reason."""
        texts = [_TO_OWNER_CHINESE, _TO_OWNER_ENGLISH]
        subjects = ["您的账户已暂停发信", "Sending from your account is on hold"]
        if owner.locale is Locale.EN:
            texts.reverse()
            subjects.reverse()
        return self._compose(owner, str(owner.address), " / ".join(subjects), "\n".join(texts), hold, in_chinese)

    def for_postmaster(self, owner: Account, hold: Hold, in_chinese: str) -> bytes:
        """Return the message to postmaster."""
        subject = f"Account on hold / 账户已暂停发信: {owner.address}"
        return self._compose(owner, f"postmaster@{self._hostname}", subject, _TO_POSTMASTER, hold, in_chinese)

    def _compose(self, owner: Account, to: str, subject: str, text: str, hold: Hold, in_chinese: str) -> bytes:
        by_operator = hold.trigger is Trigger.OPERATOR
        filled = text.format(
            address=owner.address,
            since=_written(hold.since),
            chinese=_CHINESE[hold.trigger],
            english=_ENGLISH[hold.trigger],
            chinese_heading="管理员的说明" if by_operator else "具体情况",
            english_heading="The administrator's words" if by_operator else "What was seen",
            in_chinese=in_chinese,
            reason=hold.reason,
        )
        fields = [
            format_addresses("From", [format_mailbox("Postmaster", f"postmaster@{self._hostname}")]),
            format_addresses("To", [format_mailbox("", to)]),
            format_field("Subject", subject),
            format_field("Date", format_date(self._clock.now())),
            format_field("Message-ID", make_message_id(self._hostname, self._clock, self._random)),
            format_field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
        ]
        return compose(fields, make_text(filled))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
