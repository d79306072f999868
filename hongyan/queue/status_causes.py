"""What each standard status code means for the person who sent a message: RFC 3463 §3, and what was registered later.

The class of the code (4 or 5) does not matter here: whether it is tried again is told by the state.
"""

from __future__ import annotations

__all__ = ["CAUSES", "STATUS_CAUSES", "cause_of_status"]

from hongyan.queue.classification import BounceClass
from hongyan.queue.plain_causes import PLAIN_CAUSES, PlainCause, causes

_OURS = "Nothing that you do changes it; ask your administrator."
_OURS_ZH = "你无需做什么，请联系管理员处理。"
_WAIT = "Wait: it is tried again by itself."
_WAIT_ZH = "请等待，系统会自动重试。"
_OTHER_WAY = "Tell the recipient in another way: their administrator has to mend it."
_OTHER_WAY_ZH = "请用其他方式告知收件人，需由对方管理员修正。"
_PLAIN = "Send it as plain text, without unusual attachments."
_PLAIN_ZH = "请以纯文本发送，不带特殊附件。"

_OWN: dict[str, PlainCause] = {
    **causes(
        BounceClass.OTHER,
        (
            "unexplained",
            "The receiving server did not accept the message and gave no closer reason than its answer.",
            "对方服务器没有接收邮件，除其应答外没有给出更具体的原因。",
            "Ask the recipient in another way, and show the answer to your administrator.",
            "请用其他方式联系收件人，并把应答转给管理员。",
        ),
        (
            "address-problem",
            "Something is wrong with the address.",
            "收件地址有问题。",
            "Check the address, or ask the recipient for the right one.",
            "请检查地址，或向收件人确认。",
        ),
        (
            "address-ambiguous",
            "The address fits more than one mailbox.",
            "收件地址对应不止一个邮箱。",
            "Ask the recipient for the full address.",
            "请向收件人询问完整的地址。",
        ),
        (
            "sender-problem",
            "The receiving server does not accept your address as a sender.",
            "对方服务器不接受你的发件地址。",
            "Check the spelling of your own address in the mail program; ask your administrator.",
            "请检查邮件程序中自己的发件地址是否写错，或联系管理员。",
        ),
        (
            "mailbox-problem",
            "The receiving mailbox has a problem.",
            "对方邮箱出现问题。",
            "Ask the recipient in another way.",
            "请用其他方式联系收件人。",
        ),
        (
            "list-failed",
            "The mailing list could not be expanded.",
            "对方邮件列表无法展开。",
            "Tell who looks after the list.",
            "请告知该列表的管理员。",
        ),
        (
            "system-problem",
            "The mail system has a problem that does not lie with you.",
            "邮件系统出现问题，与你的操作无关。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "system-misconfigured",
            "The receiving server is not set up as it should be.",
            "对方服务器的设置有误。",
            _OTHER_WAY,
            _OTHER_WAY_ZH,
        ),
        (
            "priority-changed",
            "The receiving server does not keep the priority that was asked for.",
            "对方服务器不支持所要求的优先级。",
            "There is nothing to do.",
            "无需处理。",
        ),
        (
            "held-here",
            "The message is held here: this server sends nothing to other servers.",
            "邮件暂扣在本服务器：本服务器不向外发信。",
            "Ask your administrator to let it go.",
            "请联系管理员放行。",
        ),
    ),
    **causes(
        BounceClass.UNKNOWN_USER,
        (
            "mailbox-moved",
            "The mailbox has moved and has no new address.",
            "该邮箱已经迁走，并且没有留下新地址。",
            "Ask the recipient for the new address.",
            "请向收件人询问新地址。",
        ),
        (
            "owner-changed",
            "The address, or its domain, belongs to somebody else by now.",
            "该地址或其域名现已属于他人。",
            "Ask the recipient in another way for the new address.",
            "请用其他方式向收件人询问新地址。",
        ),
    ),
    **causes(
        BounceClass.UNKNOWN_DOMAIN,
        (
            "domain-unknown",
            "The domain of the address does not exist.",
            "收件地址的域名不存在。",
            "Check the part after the @.",
            "请检查 @ 后面的部分。",
        ),
        (
            "domain-takes-no-mail",
            "The domain has declared that it takes no mail at all.",
            "该域名声明不接收任何邮件。",
            "Check the part after the @, or ask the recipient for another address.",
            "请检查 @ 后面的部分，或向收件人询问其他地址。",
        ),
    ),
    **causes(
        BounceClass.TEMPORARY,
        (
            "system-full",
            "The receiving server has no room at the moment.",
            "对方服务器空间不足。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "system-closed",
            "The receiving server takes no mail at the moment.",
            "对方服务器暂时不接收邮件。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "system-busy",
            "The receiving server is too busy.",
            "对方服务器过于繁忙。",
            _WAIT,
            _WAIT_ZH,
        ),
    ),
    **causes(
        BounceClass.ROUTE,
        (
            "way-problem",
            "The way to the receiving server has a problem.",
            "到对方服务器的线路出现问题。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "no-answer",
            "The receiving server cannot be reached at the moment.",
            "暂时无法连接到对方服务器。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "connection-lost",
            "The connection to the receiving server broke off or was silent for too long.",
            "与对方服务器的连接中断或长时间没有响应。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "lookup-failed",
            "The receiving domain could not be looked up at the moment.",
            "暂时无法查询对方域名。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "no-server",
            "The receiving domain has no mail server that can be reached.",
            "对方域名没有可以到达的邮件服务器。",
            "Check the part after the @; if it is right, tell the recipient in another way.",
            "请检查 @ 后面的部分；若无误，请用其他方式告知收件人。",
        ),
        (
            "expired",
            "The message could not be delivered for so long that no further attempt is made.",
            "长时间无法送达，不再重试。",
            "Send it again later, or reach the recipient in another way.",
            "请稍后重发，或用其他方式联系收件人。",
        ),
    ),
    **causes(
        BounceClass.CONTENT,
        (
            "form-refused",
            "The receiving server does not accept the form of the message.",
            "对方服务器不接受这封邮件的格式。",
            _PLAIN,
            _PLAIN_ZH,
        ),
        (
            "conversion-failed",
            "The message would have to be converted for the receiving server, and that is not possible.",
            "邮件需要转换格式才能送达对方服务器，而无法转换。",
            _PLAIN,
            _PLAIN_ZH,
        ),
        (
            "ascii-needed",
            "An address has characters that the receiving server does not understand.",
            "地址中含有对方服务器不支持的字符。",
            "Use an address in ASCII letters, yours and the recipient's.",
            "请使用英文字母的地址（包括发件和收件地址）。",
        ),
    ),
    **causes(
        BounceClass.BLOCKED,
        (
            "security",
            "The receiving server refuses the message by its rules of security.",
            "对方服务器按其安全规则拒收。",
            "Its answer may say which. Ask the recipient in another way, or your administrator.",
            "其应答中可能写明原因。请用其他方式联系收件人，或联系管理员。",
        ),
        (
            "account-disabled",
            "The account that the mail is sent with is disabled.",
            "发信所用的账户已停用。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "priority-too-low",
            "The receiving server takes only messages of higher priority at the moment.",
            "对方服务器目前只接收更高优先级的邮件。",
            _WAIT,
            _WAIT_ZH,
        ),
    ),
    **causes(
        BounceClass.TLS,
        (
            "encryption-failed",
            "No trustworthy encrypted connection to the receiving server could be made.",
            "无法与对方服务器建立可信的加密连接。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "requiretls-refused",
            "The message demands encryption on its whole way, and the receiving server does not promise it.",
            "邮件要求全程加密，而对方服务器不能保证。",
            "Send it without that demand, or reach the recipient in another way.",
            "请取消全程加密的要求后重发，或用其他方式联系收件人。",
        ),
    ),
}

_NAMES: dict[str, str] = {
    "0": "unexplained",
    **dict.fromkeys(("1", "1.9"), "address-problem"),
    "1.1": "mailbox-unknown",
    "1.2": "domain-unknown",
    "1.3": "address-syntax",
    "1.4": "address-ambiguous",
    "1.5": "address-problem",
    "1.6": "mailbox-moved",
    "1.7": "sender-problem",
    "1.8": "sender-problem",
    "1.10": "domain-takes-no-mail",
    "2": "mailbox-problem",
    "2.1": "mailbox-closed",
    "2.2": "mailbox-full",
    "2.3": "message-too-large",
    "2.4": "list-failed",
    "3": "system-problem",
    "3.1": "system-full",
    "3.2": "system-closed",
    "3.3": "system-misconfigured",
    "3.4": "message-too-large",
    "3.5": "system-misconfigured",
    "3.6": "priority-changed",
    "4": "way-problem",
    "4.1": "no-answer",
    "4.2": "connection-lost",
    "4.3": "lookup-failed",
    "4.4": "no-server",
    "4.5": "system-busy",
    "4.6": "loop",
    "4.7": "expired",
    **dict.fromkeys(("5", "5.1", "5.2", "5.4", "5.5", "5.6"), "protocol"),
    "5.3": "too-many-recipients",
    **dict.fromkeys(("6", "6.1"), "form-refused"),
    **dict.fromkeys(("6.2", "6.3", "6.4", "6.5"), "conversion-failed"),
    "6.6": "form-refused",
    **dict.fromkeys(("6.7", "6.8", "6.9", "6.10"), "ascii-needed"),
    "7": "security",
    "7.1": "policy",
    "7.2": "members-only",
    "7.3": "conversion-failed",
    **dict.fromkeys(("7.4", "7.5", "7.6", "7.7"), "encryption-failed"),
    **dict.fromkeys(("7.8", "7.9", "7.12", "7.14"), "login-failed"),
    **dict.fromkeys(("7.10", "7.11"), "tls-required"),
    "7.13": "account-disabled",
    "7.15": "priority-too-low",
    "7.16": "message-too-large",
    **dict.fromkeys(("7.17", "7.18", "7.19"), "owner-changed"),
    **dict.fromkeys(("7.20", "7.21", "7.22"), "dkim-failed"),
    **dict.fromkeys(("7.23", "7.24"), "spf-failed"),
    "7.25": "ptr-missing",
    "7.26": "unauthenticated",
    "7.27": "sender-problem",
    "7.28": "server-too-fast",
    "7.29": "unauthenticated",
    "7.30": "requiretls-refused",
}
"""By subject and detail; a subject alone stands for details that nobody has registered (RFC 3463 §3, RFC 5248)."""

CAUSES: dict[str, PlainCause] = {**PLAIN_CAUSES, **_OWN}
"""All causes by name."""

STATUS_CAUSES: dict[str, PlainCause] = {detail: CAUSES[name] for detail, name in _NAMES.items()}
"""The cause of each code. "1.1" is x.1.1, and "1" any other x.1.y."""


def cause_of_status(status: str) -> PlainCause:
    """Return what an enhanced status code means; of one that nobody knows, what its subject does."""
    _, _, detail = status.partition(".")
    subject, _, _ = detail.partition(".")
    return STATUS_CAUSES.get(detail) or STATUS_CAUSES.get(subject) or STATUS_CAUSES["0"]
