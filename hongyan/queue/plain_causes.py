"""Why mail waits or came back, in plain words for the person who sent it: what is wrong, and what he can do.

A cause has a name that stays the same (the API tells it), a class, and two sentences in English and in Chinese. The
sentences name no setting, no path and no other account; the remote server's own words stand beside them.

Here are the causes that servers tell in their own words; those of the standard codes are in `status_causes`.
"""

from __future__ import annotations

__all__ = ["PLAIN_CAUSES", "PlainCause", "causes"]

from dataclasses import dataclass, replace

from hongyan.queue.classification import BounceClass

_OURS = "Nothing that you do changes it; ask your administrator."
_OURS_ZH = "你无需做什么，请联系管理员处理。"
_WAIT = "Wait: it is tried again by itself."
_WAIT_ZH = "请等待，系统会自动重试。"
_TO_WAIT = "Wait: "
_ANEW = "It is not tried again: send it anew some hours later."
_ANEW_ZH = "不再自动重试，请数小时后重发。"


@dataclass(frozen=True, slots=True)
class PlainCause:
    """One cause for people."""

    name: str
    kind: BounceClass
    english: str
    chinese: str
    advice: str
    """What the sender can do, in English."""
    advice_chinese: str

    def for_good(self) -> PlainCause:
        """Return the cause of a refusal that is not tried again: who was told to wait sends anew."""
        if not self.advice.startswith(_TO_WAIT):
            return self
        return replace(self, advice=_ANEW, advice_chinese=_ANEW_ZH)


def causes(kind: BounceClass, *rows: tuple[str, str, str, str, str]) -> dict[str, PlainCause]:
    """Return causes of one class by name: name, English, Chinese, advice in English, advice in Chinese."""
    return {row[0]: PlainCause(row[0], kind, *row[1:]) for row in rows}


PLAIN_CAUSES: dict[str, PlainCause] = {
    **causes(
        BounceClass.UNKNOWN_USER,
        (
            "mailbox-unknown",
            "There is no such mailbox at the receiving domain.",
            "对方域名下没有这个邮箱。",
            "Check the part before the @, or ask the recipient for the right address.",
            "请检查 @ 前面的部分，或向收件人确认地址。",
        ),
        (
            "mailbox-closed",
            "The receiving mailbox is closed, suspended or has not been used for long.",
            "对方邮箱已停用、被冻结或长期未使用。",
            "Ask the recipient in another way for an address that works.",
            "请用其他方式向收件人询问可用的地址。",
        ),
        (
            "address-syntax",
            "The receiving server finds the address malformed.",
            "对方服务器认为收件地址格式不正确。",
            "Look for blanks, full-width letters or missing parts in the address, and send again.",
            "请检查地址中是否有空格、全角字符或缺少的部分，然后重发。",
        ),
    ),
    **causes(
        BounceClass.FULL,
        (
            "mailbox-full",
            "The receiving mailbox is full.",
            "对方邮箱已满。",
            "Ask the recipient in another way to make room, then send again.",
            "请用其他方式通知收件人清理空间，然后重发。",
        ),
    ),
    **causes(
        BounceClass.TOO_LARGE,
        (
            "message-too-large",
            "The message is larger than the receiving server takes.",
            "邮件超过对方服务器允许的大小。",
            "Send a link instead of the attachment, or several smaller messages.",
            "请改发链接，或分成几封较小的邮件。",
        ),
    ),
    **causes(
        BounceClass.CONTENT,
        (
            "attachment-forbidden",
            "The receiving server does not take this kind of attachment.",
            "对方服务器不接收这种类型的附件。",
            "Send a link to the file. Programs, scripts and archives that hold them are refused by most servers.",
            "请改发文件链接。可执行程序、脚本及含有它们的压缩包多被拒收。",
        ),
        (
            "message-malformed",
            "The receiving server finds that the message breaks the rules for its form.",
            "对方服务器认为邮件的格式不合规范。",
            "Send it from another mail program; if a program of yours made it, look at its From, Date and Message-ID.",
            "请换一个邮件程序发送；若由程序生成，请检查其 From、Date 和 Message-ID。",
        ),
        (
            "from-mismatch",
            "The address in From differs from the one that the message was sent with.",
            "信头的发件人与信封的发件人不一致。",
            "Send with the same address in From as you log in with.",
            "请让 From 中的地址与登录发信的地址一致。",
        ),
        (
            "link-listed",
            "A link or a domain in the message stands on a list of harmful sites.",
            "邮件中的某个链接或域名在恶意网站名单上。",
            "Take the links out, in the signature too, and send again.",
            "请去掉邮件（包括签名）中的链接后重发。",
        ),
    ),
    **causes(
        BounceClass.SPAM,
        (
            "looks-like-spam",
            "The receiving server takes the message for spam.",
            "对方服务器判定邮件为垃圾邮件。",
            "Write it anew: fewer links and pictures, no words of advertising, a subject that says what it is about.",
            "请改写邮件：减少链接和图片，避免推销用语，主题写明内容。",
        ),
        (
            "looks-like-spam-for-now",
            "The receiving server takes the message for spam, and lets us try again.",
            "对方服务器疑其为垃圾邮件而暂时拒收，允许重试。",
            "Wait: it is tried again. If it fails, write it anew with fewer links and pictures.",
            "请等待自动重试；若仍失败，请减少链接和图片后改写重发。",
        ),
        (
            "bulk-complaints",
            "Many recipients complained about mail like this.",
            "许多收件人投诉过这类邮件。",
            "Send only to people who asked for it, and offer a way to unsubscribe.",
            "请只发给同意接收的人，并提供退订方式。",
        ),
    ),
    **causes(
        BounceClass.UNAUTHENTICATED,
        (
            "spf-failed",
            "The SPF record of your domain does not allow our server to send for it.",
            "你的域名的 SPF 记录不允许本服务器代发邮件。",
            "Your administrator should add this server to the SPF record. Forwarded mail fails this check too.",
            "请管理员把本服务器加入域名的 SPF 记录。经转发的邮件也会因此失败。",
        ),
        (
            "dkim-failed",
            "The receiving server could not verify the signature (DKIM) of the message.",
            "对方服务器无法验证邮件的 DKIM 签名。",
            "Your administrator should compare the DKIM record in the DNS with the key that signs.",
            "请管理员核对 DNS 中的 DKIM 记录与签名所用的密钥。",
        ),
        (
            "dmarc-failed",
            "The domain in From demands proof (DMARC), and the message has none that fits.",
            "发件域名的 DMARC 策略要求验证，而邮件没有通过。",
            "Do not send under another domain's name; for your own, your administrator should mend SPF and DKIM.",
            "请勿以他人的域名发信；若是自己的域名，请管理员修正 SPF 和 DKIM。",
        ),
        (
            "unauthenticated",
            "The receiving server could not verify that the message is yours (SPF, DKIM or DMARC).",
            "对方服务器无法确认邮件确实由你发出（SPF、DKIM 或 DMARC）。",
            "Your administrator should check the SPF, DKIM and DMARC records of your domain.",
            "请管理员检查你的域名的 SPF、DKIM 和 DMARC 记录。",
        ),
        (
            "ptr-missing",
            "The address of our server has no proper name in the DNS (PTR).",
            "本服务器的 IP 地址没有正确的反向域名（PTR）。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "helo-refused",
            "The receiving server does not believe the name by which our server introduced itself.",
            "对方服务器不认可本服务器在 HELO 中自报的名称。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "sender-domain-unknown",
            "The receiving server cannot find the domain of your address in the DNS.",
            "对方服务器在 DNS 中查不到你的发件域名。",
            "Check the spelling of your own address; your administrator should check its DNS records.",
            "请检查自己的发件地址是否写错；并请管理员检查该域名的 DNS 记录。",
        ),
    ),
    **causes(
        BounceClass.RATE_LIMITED,
        (
            "server-too-fast",
            "The receiving server got too much mail from the address of our server.",
            "本服务器的 IP 向对方发信过多或过快。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "domain-too-fast",
            "The receiving server got too much mail from your domain.",
            "你的域名向对方发信过多或过快。",
            "Wait some hours and send to fewer recipients at a time.",
            "请等待数小时，并减少每次的收件人数。",
        ),
        (
            "sender-too-fast",
            "The receiving server got too much mail from your address.",
            "你的地址向对方发信过多或过快。",
            "Wait some hours, often until the next day, and send to fewer recipients at a time.",
            "请等待数小时（往往到次日），并减少每次的收件人数。",
        ),
        (
            "too-many-connections",
            "Our server has too many connections to the receiving one, or sends too much in one of them.",
            "本服务器到对方的连接过多，或单次连接中发信过多。",
            _WAIT,
            _WAIT_ZH,
        ),
        (
            "recipient-too-popular",
            "The recipient gets too much mail at the moment.",
            "收件人短时间内收到的邮件过多。",
            "Wait: it is tried again. Do not send copies of it.",
            "请等待自动重试，不要重复发送。",
        ),
        (
            "too-many-recipients",
            "The message has too many recipients for the receiving server.",
            "收件人数超过对方服务器的限制。",
            "Send it to fewer recipients at a time.",
            "请减少每封邮件的收件人数。",
        ),
        (
            "bad-recipients",
            "Too many of the recipients that our server named did not exist.",
            "本服务器发往对方的邮件中不存在的收件人过多。",
            "Clean your list of recipients before you send again.",
            "请先清理收件人名单，再发送。",
        ),
    ),
    **causes(
        BounceClass.GREYLISTED,
        (
            "first-contact",
            "The receiving server puts off mail from servers that it meets for the first time.",
            "对方服务器对初次来信的服务器暂缓接收（灰名单）。",
            "Wait: the next try, some minutes later, will most likely succeed.",
            "请等待，几分钟后的重试多会成功。",
        ),
    ),
    **causes(
        BounceClass.BLOCKED,
        (
            "server-blocked",
            "The receiving server has blocked the address of our server.",
            "对方服务器屏蔽了本服务器的 IP。",
            "Your administrator should look for the cause and ask the receiving side to lift the block.",
            "请管理员查明原因，并向对方申请解除。",
        ),
        (
            "server-listed",
            "The address of our server stands on a list of senders of spam (DNSBL).",
            "本服务器的 IP 在垃圾邮件黑名单（RBL）上。",
            "Your administrator should have it taken off the list that the answer names.",
            "请管理员向应答中提到的名单申请移除。",
        ),
        (
            "server-reputation",
            "The address of our server, or your domain, has a bad name at the receiving side.",
            "本服务器的 IP 或你的域名在对方处信誉较低。",
            "Send less and only to people who expect it; your administrator should check what else leaves the server.",
            "请减少发信，只发给预期的收件人；并请管理员检查还有哪些邮件从本服务器发出。",
        ),
        (
            "sender-blocked",
            "The receiving side does not take mail from your address.",
            "对方不接收你的地址发来的邮件。",
            "Ask the recipient in another way to allow your address.",
            "请用其他方式请收件人将你的地址加入白名单。",
        ),
        (
            "recipient-refuses",
            "The recipient refuses your mail by a rule or a list of their own.",
            "收件人的黑名单或过滤规则拒收了你的邮件。",
            "Ask the recipient in another way to allow your address.",
            "请用其他方式请收件人将你的地址加入白名单。",
        ),
        (
            "members-only",
            "The recipient takes mail only from inside the organization, or from members of the list.",
            "对方只接收本组织或列表成员的来信。",
            "Ask the recipient, or who looks after the list, to let you write.",
            "请联系收件人或列表管理员，允许你发信。",
        ),
        (
            "policy",
            "The receiving server refuses the message by its rules.",
            "对方服务器按其规则拒收。",
            "Its answer may say which rule. Ask the recipient in another way, or your administrator.",
            "其应答中可能写明是哪条规则。请用其他方式联系收件人，或联系管理员。",
        ),
        (
            "not-registered",
            "The receiving server takes mail only from servers or senders that are registered with it.",
            "对方只接收在其处登记过的服务器或发件人的来信。",
            "Your administrator should ask the receiving side to register this server.",
            "请管理员向对方申请登记本服务器。",
        ),
        (
            "forged-bounces",
            "The receiving side thinks that our server sends bounces of mail which it never sent.",
            "对方疑似本服务器在发送退信攻击（退回并非其发出的邮件）。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "relay-denied",
            "The receiving server does not look after this domain, and passes nothing on.",
            "对方服务器不负责这个域名，也不转发。",
            "Check the part after the @. If it is right, the domain's DNS names a wrong server: tell the recipient.",
            "请检查 @ 后面的部分；若无误，则该域名的 DNS 指向了错误的服务器，请告知收件人。",
        ),
        (
            "ipv6-refused",
            "The receiving server does not take mail over IPv6 from us.",
            "对方服务器不接收本服务器经 IPv6 发来的邮件。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "null-sender-refused",
            "The receiving server does not take notifications, which have no sender.",
            "对方服务器不接收没有发件人的通知邮件。",
            "It was a notification, not a message of yours: there is nothing to do.",
            "这是系统通知而非你写的邮件，无需处理。",
        ),
    ),
    **causes(
        BounceClass.TLS,
        (
            "tls-required",
            "The receiving server wants an encrypted connection, and none could be made.",
            "对方服务器要求加密连接，而未能建立。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "certificate-wrong",
            "The certificate of the receiving server is not the one that its domain promises.",
            "对方服务器的证书与其域名承诺的不符。",
            "Tell the recipient in another way: their administrator has to mend it.",
            "请用其他方式告知收件人，需由对方管理员修正。",
        ),
    ),
    **causes(
        BounceClass.ROUTE,
        (
            "loop",
            "The message goes round in circles between servers: a forwarding rule leads back to itself.",
            "邮件在服务器之间循环：某个转发规则又转回了原处。",
            "Tell the recipient in another way: a forwarding has to be taken away.",
            "请用其他方式告知收件人，需取消某个转发。",
        ),
    ),
    **causes(
        BounceClass.TEMPORARY,
        (
            "temporary",
            "The receiving server has trouble at the moment.",
            "对方服务器暂时出现故障。",
            _WAIT,
            _WAIT_ZH,
        ),
    ),
    **causes(
        BounceClass.OTHER,
        (
            "login-failed",
            "The server through which we send did not accept our login.",
            "中继服务器没有接受本服务器的登录。",
            _OURS,
            _OURS_ZH,
        ),
        (
            "protocol",
            "The receiving server and ours did not understand each other.",
            "对方服务器与本服务器的通信出现协议错误。",
            _OURS,
            _OURS_ZH,
        ),
    ),
}
"""The causes by name."""
