"""Why a message was not taken from its sender, in plain words for him. A reason is a stable word, or `check/reason`."""

from __future__ import annotations

__all__ = ["SUBMISSION_REASONS", "submission_cause"]

from hongyan.queue.classification import BounceClass
from hongyan.queue.plain_causes import PlainCause, causes

SUBMISSION_REASONS: dict[str, PlainCause] = {
    **causes(
        BounceClass.UNKNOWN_USER,
        (
            "suppressed",
            "The address bounced again and again; nothing is sent to it for a while.",
            "该地址多次退信，已暂停向其发信。",
            "Ask the recipient for the right address. Your administrator can end the pause.",
            "请向收件人确认地址；管理员可以提前解除。",
        ),
    ),
    **causes(
        BounceClass.RATE_LIMITED,
        (
            "quota",
            "You have reached a limit on sending.",
            "你已达到发信上限。",
            "Send less at a time, or wait as long as the answer says; your administrator can raise the limit.",
            "请减少发信量，或按提示稍后再发；管理员可以提高上限。",
        ),
    ),
    **causes(
        BounceClass.TEMPORARY,
        (
            "late",
            "The server could not find out in time whether the message may leave.",
            "服务器未能及时完成发信前的检查。",
            "Send it again in a few minutes; if that goes on, ask your administrator.",
            "请过几分钟重新发送；若持续出现，请联系管理员。",
        ),
    ),
    **causes(
        BounceClass.BLOCKED,
        (
            "held",
            "Sending from your account is on hold.",
            "你的账户已被暂停发信。",
            "Read the notice in your inbox: if somebody else used your account, change its password.",
            "请阅读收件箱中的通知；如账户被他人使用，请修改密码。",
        ),
        (
            "policy",
            "A rule of this server does not let the message out.",
            "按本服务器的规则，这封邮件不能发出。",
            "Ask your administrator.",
            "请联系管理员。",
        ),
    ),
    **causes(
        BounceClass.CONTENT,
        (
            "virus",
            "The message holds harmful software, or could not be looked at for it.",
            "邮件含有恶意软件，或暂时无法检查。",
            "Look whether your computer is infected; send the message without the attachment.",
            "请检查你的电脑是否中毒；去掉附件后再发。",
        ),
        (
            "form",
            "The message breaks the rules for its form.",
            "邮件格式不合规范。",
            "Send it with another program, or report it to the makers of yours.",
            "请换用其他邮件程序发送，或向其开发者反馈。",
        ),
    ),
    **causes(
        BounceClass.UNAUTHENTICATED,
        (
            "not-ready",
            "The DNS of your domain is not ready: other servers would refuse the message.",
            "发件域名的 DNS 尚未配置好，对方服务器会拒收。",
            "Ask your administrator to mend the records that the answer names.",
            "请联系管理员修正提示中列出的记录。",
        ),
        (
            "sender",
            "The message must be from one address, and that must be yours.",
            "发件人必须是且只能是你自己的一个地址。",
            "Choose one of your own addresses as the sender.",
            "请选择你自己的地址作为发件人。",
        ),
    ),
}
"""By the word of the rule, or of the check."""


def submission_cause(reason: str) -> PlainCause:
    """Return why; of a check that is not known here, that it was a rule."""
    return SUBMISSION_REASONS.get(reason.partition("/")[0]) or SUBMISSION_REASONS["policy"]
