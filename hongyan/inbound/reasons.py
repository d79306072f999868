"""Why mail did not come, or came into Junk, in plain words for the person it was meant for.

A reason is `check/reason` of the finding that decided, or the word of a refused address. The check's word chooses the
sentence: its details are told beside it, in the finding's own text.
"""

from __future__ import annotations

__all__ = ["REASONS", "reason_cause"]

from hongyan.queue.classification import BounceClass
from hongyan.queue.plain_causes import PlainCause, causes

_TELL = "If you want this mail, tell the sender in another way what stands here."
_TELL_ZH = "如需要这封邮件，请用其他方式把此处的原因告诉发件人。"
_COMES = "There is nothing to do: a mail server that keeps to the rules tries again."
_COMES_ZH = "无需处理：合规的邮件服务器会自动重发。"

REASONS: dict[str, PlainCause] = {
    **causes(
        BounceClass.FULL,
        (
            "over-quota",
            "Your mailbox was full.",
            "你的邮箱已满。",
            "Delete mail and empty the Trash. The sender's server tries again for some days.",
            "请删除邮件并清空废纸篓。对方服务器会在数日内重试。",
        ),
    ),
    **causes(
        BounceClass.UNKNOWN_USER,
        (
            "disabled",
            "The account was suspended.",
            "账户当时处于停用状态。",
            "Ask your administrator.",
            "请联系管理员。",
        ),
    ),
    **causes(
        BounceClass.UNAUTHENTICATED,
        (
            "dmarc",
            "Nothing proved that the message came from the domain in its From, which demands proof (DMARC).",
            "发件域名要求验证（DMARC），而这封邮件未能证明出自该域名。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "spf",
            "The sender's domain does not let that server send for it (SPF).",
            "发件域名不允许该服务器代发邮件（SPF）。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "author",
            "The message did not name one author as it must.",
            "邮件没有按规范写明唯一的发件人。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "helo",
            "The sending server lied about its name.",
            "对方服务器谎报了自己的名称。",
            _TELL,
            _TELL_ZH,
        ),
    ),
    **causes(
        BounceClass.CONTENT,
        (
            "virus",
            "The message held harmful software, or could not be looked at for it.",
            "邮件含有恶意软件，或暂时无法检查。",
            "Do not ask for it to be sent again as it is.",
            "请不要让对方原样重发。",
        ),
        (
            "form",
            "The message broke the rules for its form.",
            "邮件格式不合规范。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "loop",
            "The message had gone round in circles.",
            "邮件在服务器之间循环。",
            "Look at your forwardings, and those of your other addresses.",
            "请检查你各个地址的转发设置。",
        ),
    ),
    **causes(
        BounceClass.SPAM,
        (
            "spam",
            "The message looks like spam.",
            "邮件疑似垃圾邮件。",
            "If it is not, move it out of Junk: that teaches the filter.",
            "若不是垃圾邮件，请将其移出“垃圾邮件”，过滤器会随之学习。",
        ),
    ),
    **causes(
        BounceClass.GREYLISTED,
        (
            "greylist",
            "The sending server was met for the first time and asked to come again.",
            "对方服务器初次来信，已请其稍后重发。",
            _COMES,
            _COMES_ZH,
        ),
    ),
    **causes(
        BounceClass.BLOCKED,
        (
            "dnsbl",
            "The sending server stands on a list of senders of spam (DNSBL).",
            "对方服务器在垃圾邮件黑名单（RBL）上。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "reputation",
            "The sender, or the sending server, has a bad name with you or with this server.",
            "发件人或其服务器在你处或本服务器信誉较低。",
            "If you want its mail, move what came out of Junk.",
            "如需要其来信，请把已收到的邮件移出“垃圾邮件”。",
        ),
        (
            "banned",
            "The sending server is shut out for a time.",
            "对方服务器暂时被封禁。",
            _TELL,
            _TELL_ZH,
        ),
        (
            "policy",
            "A rule of this server refused the message.",
            "邮件被本服务器的规则拒收。",
            _TELL,
            _TELL_ZH,
        ),
    ),
    **causes(
        BounceClass.RATE_LIMITED,
        (
            "rate",
            "The sending server sent too much at a time.",
            "对方服务器发信过多或过快。",
            _COMES,
            _COMES_ZH,
        ),
    ),
    **causes(
        BounceClass.TEMPORARY,
        (
            "storage",
            "This server could not store the message just then.",
            "本服务器当时无法保存邮件。",
            _COMES,
            _COMES_ZH,
        ),
    ),
}
"""By the word of the check, or of the refused address."""

_SAME = {"gate": "policy", "infected": "virus", "statistics": "spam", "greylisting": "greylist", "inflow": "rate"}


def reason_cause(reason: str) -> PlainCause:
    """Return why, for the recipient; of a check that is not known here, that it was a rule."""
    check = reason.partition("/")[0]
    return REASONS.get(_SAME.get(check, check)) or REASONS["policy"]
