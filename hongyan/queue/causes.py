"""Why mail waits or fails, in words for the person who sent it: Chinese and English.

Our own causes each have an enhanced status code (RFC 3463); what a remote server answered is
explained by the code that it gave. A sentence says what is wrong and what the reader can do. None
of them names a setting, a path or another account.
"""

from __future__ import annotations

__all__ = ["Cause", "Explanation", "explain"]

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cause for people."""

    english: str
    chinese: str


class Cause(Enum):
    """What this server found out by itself: the status code, and a line for the log and for DSNs."""

    NO_SUCH_DOMAIN = ("5.1.2", "The domain does not exist")
    NULL_MX = ("5.1.10", "The domain takes no mail (null MX)")
    NO_ADDRESS = ("5.4.4", "No mail server of the domain has an address")
    UNREACHABLE_NETWORK = ("5.4.4", "The mail servers of the domain have no address that can be reached from here")
    LOOPS_TO_US = ("5.4.6", "The domain's mail servers lead back to this server, which does not serve the domain")
    TOO_MANY_HOPS = ("5.4.6", "The message has passed too many servers; it goes round in circles")
    EXPIRED = ("4.4.7", "The message could not be delivered in time")
    DNS_UNAVAILABLE = ("4.4.3", "The domain could not be looked up")
    RELAY_UNAVAILABLE = ("4.4.3", "The relay could not be looked up")
    NO_CONNECTION = ("4.4.1", "No connection to the mail server")
    TIMED_OUT = ("4.4.2", "The mail server did not answer in time")
    CONNECTION_LOST = ("4.4.2", "The connection was lost")
    BAD_REPLY = ("4.5.0", "The mail server gave an answer that is not SMTP")
    TLS_FAILED = ("4.7.5", "An encrypted connection was required and could not be made")
    NO_REQUIRETLS = ("5.7.30", "The message demands TLS on its whole way, and the mail server does not promise it")
    LOGIN_REFUSED = ("4.7.8", "The relay did not accept our login")
    NEEDS_SMTPUTF8 = ("5.6.7", "The mail server does not take internationalized addresses")
    TOO_LARGE = ("5.3.4", "The message is larger than the mail server takes")
    CONTENT_UNREADABLE = ("4.3.0", "The message could not be read here")
    FAILED_HERE = ("4.3.0", "Something failed here")
    HELD_HERE = ("4.3.2", "Held: this server is for trying out and sends nothing to other servers")

    def __init__(self, status: str, line: str) -> None:
        self.status = status
        self.line = line

    @property
    def is_permanent(self) -> bool:
        return self.status.startswith("5")


def explain(status: str) -> Explanation:
    """Return what a status code means for the sender of a message; its class does not matter."""
    _, _, detail = status.partition(".")
    subject, _, _ = detail.partition(".")
    return _EXPLANATIONS.get(detail) or _EXPLANATIONS.get(f"{subject}.0") or _EXPLANATIONS["0.0"]


# By subject and detail of RFC 3463 §3 and the registry it founded (RFC 5248).
_EXPLANATIONS: dict[str, Explanation] = {
    "0.0": Explanation(
        "The receiving server did not accept the message and gave no closer reason than its answer below.",
        "对方服务器没有接收邮件，除下面的应答外没有给出更具体的原因。",
    ),
    "1.0": Explanation("Something is wrong with the address.", "收件地址有问题。"),
    "1.1": Explanation(
        "There is no such mailbox at the receiving domain. Check the part before the @.",
        "对方域名下没有这个邮箱。请检查 @ 前面的部分。",
    ),
    "1.2": Explanation(
        "The domain of the address does not exist. Check the part after the @.",
        "收件地址的域名不存在。请检查 @ 后面的部分。",
    ),
    "1.3": Explanation("The receiving server finds the address malformed.", "对方服务器认为收件地址格式不正确。"),
    "1.6": Explanation("The mailbox has moved and has no new address.", "该邮箱已经迁走，并且没有留下新地址。"),
    "1.8": Explanation(
        "The receiving server does not accept your address as a sender.", "对方服务器不接受你的发件地址。"
    ),
    "1.10": Explanation(
        "The domain has declared that it takes no mail at all. Check the part after the @.",
        "该域名声明不接收任何邮件。请检查 @ 后面的部分。",
    ),
    "2.0": Explanation("The receiving mailbox has a problem.", "对方邮箱出现问题。"),
    "2.1": Explanation("The receiving mailbox is disabled.", "对方邮箱已停用。"),
    "2.2": Explanation(
        "The receiving mailbox is full. Ask the recipient in another way to make room.",
        "对方邮箱已满。请用其他方式通知收件人清理。",
    ),
    "2.3": Explanation("The message is larger than the recipient may receive.", "邮件超过了收件人允许的大小。"),
    "2.4": Explanation("The mailing list could not be expanded.", "对方邮件列表无法展开。"),
    "3.0": Explanation(
        "The mail system has a problem that does not lie with you.", "邮件系统出现问题，与你的操作无关。"
    ),
    "3.1": Explanation("The receiving server has no room at the moment.", "对方服务器空间不足。"),
    "3.2": Explanation("The receiving server takes no mail at the moment.", "对方服务器暂时不接收邮件。"),
    "3.4": Explanation(
        "The message is too large for the receiving server. Send a link, or smaller parts.",
        "邮件超过对方服务器允许的大小。请改发链接，或分成较小的邮件。",
    ),
    "4.0": Explanation("The way to the receiving server has a problem.", "到对方服务器的线路出现问题。"),
    "4.1": Explanation("The receiving server cannot be reached at the moment.", "暂时无法连接到对方服务器。"),
    "4.2": Explanation(
        "The connection to the receiving server broke off or was silent for too long.",
        "与对方服务器的连接中断或长时间没有响应。",
    ),
    "4.3": Explanation("The receiving domain could not be looked up at the moment.", "暂时无法查询对方域名。"),
    "4.4": Explanation(
        "The receiving domain has no mail server that can be reached. Check the part after the @.",
        "对方域名没有可以到达的邮件服务器。请检查 @ 后面的部分。",
    ),
    "4.5": Explanation("The receiving server is too busy.", "对方服务器过于繁忙。"),
    "4.6": Explanation(
        "The message goes round in circles between servers: a forwarding rule leads back to itself.",
        "邮件在服务器之间循环：某个转发规则又转回了原处。",
    ),
    "4.7": Explanation(
        "The receiving server could not be reached for so long that no further attempt is made.",
        "长时间无法送达对方服务器，不再重试。",
    ),
    "5.0": Explanation(
        "The receiving server and ours did not understand each other.", "对方服务器与本服务器的通信出现协议错误。"
    ),
    "5.3": Explanation(
        "The message has too many recipients for the receiving server.", "收件人数超过对方服务器的限制。"
    ),
    "6.0": Explanation(
        "The receiving server does not accept the form of the message.", "对方服务器不接受这封邮件的格式。"
    ),
    "6.7": Explanation(
        "An address has characters that the receiving server does not understand. Use an ASCII address.",
        "地址中含有对方服务器不支持的字符。请使用英文字母地址。",
    ),
    "7.0": Explanation("The receiving server refuses the message by its rules.", "对方服务器按其安全规则拒收。"),
    "7.1": Explanation(
        "The receiving server refuses the message by its rules; its answer below may say why.",
        "对方服务器按其规则拒收，下面的应答可能说明原因。",
    ),
    "7.5": Explanation(
        "No trustworthy encrypted connection to the receiving server could be made.",
        "无法与对方服务器建立可信的加密连接。",
    ),
    "7.8": Explanation("Our server could not log in at its relay.", "本服务器无法登录其中继服务器。"),
    "7.23": Explanation(
        "The receiving server finds that our server may not send for your domain (SPF).",
        "对方服务器认为本服务器无权代表你的域名发信（SPF）。",
    ),
    "7.25": Explanation(
        "The receiving server finds that our address has no proper name in the DNS.",
        "对方服务器认为本服务器的地址没有正确的反向域名。",
    ),
    "7.26": Explanation(
        "The receiving server could not verify that the message is yours (SPF, DKIM or DMARC).",
        "对方服务器无法确认邮件确实由你发出（SPF、DKIM 或 DMARC）。",
    ),
    "7.28": Explanation(
        "The receiving server got too much mail from us or for this recipient.", "对方服务器收到的邮件过多。"
    ),
    "7.30": Explanation(
        "The message demands encryption on its whole way, and the receiving server does not promise it.",
        "邮件要求全程加密，而对方服务器不能保证。",
    ),
}
