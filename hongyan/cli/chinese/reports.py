"""Reports between domains: help, answers, settings."""

from __future__ import annotations

__all__ = ["REPORTS"]

REPORTS: dict[str, str] = {
    # Commands
    "Reports on DMARC and TLS: those of others on our domains, and ours to them.": (
        "DMARC 和 TLS 报告：他人关于本机各域的报告，以及本机发给他人的报告。"
    ),
    "On this domain alone.": "只看此域。",
    "From this moment on, as 2026-11-23, in UTC; else for the last thirty days.": (
        "从此时刻起（UTC），如 2026-11-23；省略时为最近三十天。"
    ),
    "How many reports at most.": "最多多少份报告。",
    "List the reports that others sent on our domains, the newest first.": (
        "列出他人发来的关于本机各域的报告，新的在前。"
    ),
    "Add up what others say of a domain: how much passed, which servers sent the rest, why, and what helps.": (
        "汇总他人对一个域的报告：多少邮件通过，其余由哪些服务器发出，原因何在，如何改正。"
    ),
    "List the reports to other domains that were not sent yet.": "列出尚未发给其他域的报告。",
    "The domain; without one, those that want none are listed.": "域名；省略时列出不接收报告的域。",
    "Send it reports again.": "重新向其发送报告。",
    "Send a domain and those below it no reports any more, or list those that are sent none.": (
        "不再向一个域及其下级域发送报告，或列出不接收报告的域。"
    ),
    # Answers
    "reporter": "报告方",
    "reports": "报告数",
    "from": "开始",
    "until": "结束",
    "good": "正常",
    "bad": "异常",
    "day": "日期",
    "facts": "情况数",
    "leaves at": "发出时间",
    "messages": "邮件数",
    "server name": "服务器名称",
    "by SPF": "SPF 通过",
    "by DKIM": "DKIM 通过",
    "rejected": "被拒收",
    "any host": "任意主机",
    "Nobody has reported anything.": "尚无人发来报告。",
    "Nobody has reported anything since {moment}.": "自 {moment} 以来无人发来报告。",
    "There are more reports than are added up: ask for a shorter time with --since.": (
        "报告过多，未全部汇总：请用 --since 缩短时间。"
    ),
    "DMARC: messages {messages}, passed {passed}, failed {failed}; reports {reports}.": (
        "DMARC：{reports} 份报告，{messages} 封邮件；通过 {passed} 封，未通过 {failed} 封。"
    ),
    "TLS: sessions {sessions}, failed {failed}; reports {reports}.": (
        "TLS：{reports} 份报告，{sessions} 次会话；失败 {failed} 次。"
    ),
    "{host}: sessions {count}": "{host}：{count} 次会话",
    "{what}: {sentence}": "{what}：{sentence}",
    "There is nothing to report yet.": "目前没有可报告的内容。",
    "Every domain that asks is sent reports.": "凡要求报告的域都会收到报告。",
    "{domain} is sent reports again.": "已恢复向 {domain} 发送报告。",
    "{domain} is sent no reports any more.": "不再向 {domain} 发送报告。",
    "That domain is sent reports.": "该域本来就会收到报告。",
    "The configuration says so too: [reports] opt_out.": "配置文件中也有此项：[reports] opt_out。",
    "A moment is written as 2026-11-23 or 2026-11-23T08:00.": "时刻写作 2026-11-23 或 2026-11-23T08:00。",
    # What went wrong
    "Your signature was there and did not hold.": "带有您的签名，但签名无效。",
    "If the address is yours, compare the DKIM key in the DNS (hongyan domain check). If not, it is a mailing list"
    " or a forwarder that changes messages: nothing can be done here.": (
        "若该地址属于您，请核对 DNS 中的 DKIM 密钥（hongyan domain check）。"
        "若不属于您，则是改动邮件的邮件列表或转发者，此处无法改正。"
    ),
    "Another domain vouched for it, not yours.": "通过验证的是其他域，而不是您的域。",
    "If it is a service that writes in your name, let it sign with a DKIM key of your domain. If not, it is"
    " forwarded or forged: a policy of reject keeps it away.": (
        "若是以您名义发信的服务，请让它用您的域的 DKIM 密钥签名。"
        "若不是，则为转发或伪造：策略设为 reject 可将其拒之门外。"
    ),
    "Nobody vouched for it.": "没有任何域通过验证。",
    "If the server is yours, name it in SPF and let it sign. If not, it is forged: a policy of reject keeps it"
    " away.": "若是您的服务器，请把它写入 SPF 并让它签名。若不是，则为伪造：策略设为 reject 可将其拒之门外。",
    "A host of yours did not offer STARTTLS.": "您的一台主机没有提供 STARTTLS。",
    "Give it a certificate, or see what stands between it and the world.": (
        "请为它配置证书，或检查它与外界之间有什么设备。"
    ),
    "The certificate names another host.": "证书上的主机名不符。",
    "The certificate has expired.": "证书已过期。",
    "Nobody who is trusted has signed the certificate.": "证书不是由受信任的机构签发的。",
    "TLS failed for another reason.": "TLS 因其他原因失败。",
    "The certificate does not fit the TLSA records.": "证书与 TLSA 记录不符。",
    "DNSSEC signatures do not hold.": "DNSSEC 签名无效。",
    "The sender demands DANE, and there are no usable TLSA records.": "发送方要求 DANE，但没有可用的 TLSA 记录。",
    "The MTA-STS policy could not be fetched.": "无法获取 MTA-STS 策略。",
    "The MTA-STS policy cannot be read.": "MTA-STS 策略无法读取。",
    "The certificate of the MTA-STS policy's host does not hold.": "MTA-STS 策略主机的证书无效。",
    "TLS failed in a way that is not known here.": "TLS 失败，原因不明。",
    "Look at the certificate with hongyan certificate list, and at its names.": (
        "请用 hongyan certificate list 查看证书及其名称。"
    ),
    "Compare the TLSA records with what hongyan domain dns prints, and publish the next key before it is used.": (
        "请将 TLSA 记录与 hongyan domain dns 的输出核对，并在启用新密钥之前先发布它。"
    ),
    "Look whether https://mta-sts under your domain answers; hongyan domain check fetches the policy as others do.": (
        "请检查您的域下 https://mta-sts 是否应答；hongyan domain check 会像他人一样获取策略。"
    ),
    "Have your DNS provider look at the zone's signatures.": "请 DNS 服务商检查该区的签名。",
    "Look at the log of that time.": "请查看当时的日志。",
    # Settings
    "Reports to other domains on DMARC and TLS, and theirs to us.": (
        "发给其他域的 DMARC 和 TLS 报告，以及他们发来的报告。"
    ),
    "Tell other domains once a day how mail in their name was found, if they ask for it.": (
        "每天告诉有此要求的域：以其名义发来的邮件查验结果如何。"
    ),
    "Tell other domains once a day how TLS with their servers went, if they ask for it.": (
        "每天告诉有此要求的域：与其服务器的 TLS 连接情况如何。"
    ),
    "Who reports, as it is shown to others; empty: the host's name.": "报告中显示的机构名称；留空则为主机名。",
    "Address for questions about our reports; empty: postmaster at the host's name.": (
        "对报告有疑问时的联系地址；留空则为主机名下的 postmaster。"
    ),
    "Domains to which nothing is reported, with those below them.": "不向其发送报告的域，包括其下级域。",
    "How long after midnight (UTC) the first report of a day leaves.": "每天第一份报告在 UTC 零点之后多久发出。",
    "Over how long the reports of a day are spread.": "一天的报告分散在多长时间内发出。",
    "How often counts are stored; a crash loses as much.": "计数多久存储一次；崩溃时会丢失这段时间的计数。",
    "Domains that are counted for each kind of report and day.": "每类报告每天最多统计多少个域。",
    "Facts that differ, such as addresses, that one report tells.": "一份报告最多包含多少项不同的情况，例如地址。",
    "Read the reports that others send about our domains.": "读取他人发来的关于本机各域的报告。",
    "Addresses of ours whose mail is read for reports, besides postmaster at each of our domains.": (
        "除各域的 postmaster 之外，还从哪些本机地址的邮件中读取报告。"
    ),
    "Mailbox into which letters go from INBOX, marked as read, once their report is kept; empty: they stay.": (
        "报告收录后，来信标为已读并从收件箱移入此文件夹；空：留在原处。"
    ),
    "How long reports of others are kept.": "他人的报告保留多久。",
    "Reports that one sender may send about one of our domains.": "同一发送方每天可就本机一个域发来多少份报告。",
}
