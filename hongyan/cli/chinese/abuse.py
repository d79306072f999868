"""What is said of strangers on port 25: limits, bans, the gate."""

from __future__ import annotations

__all__ = ["ABUSE"]

ABUSE: dict[str, str] = {
    # Why somebody is banned
    "{count} unknown recipients within an hour": "一小时内向 {count} 个不存在的收件人投递",
    "{count} refused commands within an hour": "一小时内有 {count} 条命令被拒绝",
    "{count} connections that spoke first within an hour": "一小时内有 {count} 个连接未等问候语就抢先发送",
    "port 25": "25 端口",
    # Faults of the configuration
    "rates of port 25 are at least one, and a ban lasts between a second and 30 days": (
        "25 端口的各项速率至少为一，封禁时长在一秒到 30 天之间"
    ),
    "greeting_delay and tarpit_delay are between 0 and 60 seconds": "greeting_delay 与 tarpit_delay 在 0 到 60 秒之间",
    "free_faults, tarpitted and known_for are not negative": "free_faults、tarpitted 与 known_for 不得为负",
    "a message has 600 seconds at least, a session 300, and a rate is not negative": (
        "一封邮件至少有 600 秒，一次会话至少有 300 秒，速率不得为负"
    ),
    "a history is kept for a day at least": "往来记录至少保留一天",
    "a block list has a zone": "黑名单须有区域名",
    "a block list weighs more than 0 and at most 100": "黑名单的权重大于 0 且不超过 100",
    "return codes of a block list lie within 127.0.0.0/8": "黑名单的返回码位于 127.0.0.0/8 之内",
    "refuse is at least junk, and junk more than 0": "refuse 不小于 junk，junk 大于 0",
    "block lists have between 0 and 20 seconds, and answers are kept for a minute at least": (
        "查询黑名单的时限在 0 到 20 秒之间，答复至少保留一分钟"
    ),
    "greylisting waits an hour at most, less than its window, and keeps for a day at least": (
        "灰名单最多等待一小时，须短于其时间窗，且至少保留一天"
    ),
    # Settings
    "DNS block lists; none is asked unless it is named.": "DNS 黑名单；未写明的一概不查。",
    "The zone that is asked, such as zen.spamhaus.org.": "要查询的区域，例如 zen.spamhaus.org。",
    "How much a listing weighs.": "被此名单列入时计多少权重。",
    "Return codes that count, as addresses or networks within 127.0.0.0/8; empty: all.": (
        "计入的返回码，写作 127.0.0.0/8 内的地址或网段；留空表示全部。"
    ),
    "Whether the list knows IPv6 addresses.": "该名单是否支持 IPv6 地址。",
    "The block lists that are asked about strangers.": "对陌生连接查询的黑名单。",
    "What the listings of an address have to weigh together for its mail to be refused.": (
        "一个地址在各名单中的权重合计达到多少时拒收其邮件。"
    ),
    "What they have to weigh for its mail to be filed in Junk.": "合计达到多少时将其邮件归入垃圾邮件。",
    "How long the lists may take to answer.": "名单最多可用多久答复。",
    "How long their answers are kept.": "答复保留多久。",
    "How often each list is tried with what it has to list.": "每隔多久用必定列入的地址检验各名单。",
    "Whether suspicious strangers are asked to come again.": "是否让可疑的陌生连接稍后重试（灰名单）。",
    "Whether suspicious first contacts are asked to come again.": "是否让可疑的首次来信者稍后重试。",
    "How long a first contact is put off.": "首次来信推迟多久。",
    "How long it may take to come again.": "最迟须在多久之内重试。",
    "How long who came again passes, from the last mail on.": "重试成功者自最后一封邮件起放行多久。",
    "What accounts remember of those who wrote to them.": "账户与来信者的往来记录。",
    "Whether mail is judged by what its recipient did with the sender's mail before.": (
        "是否根据收件人过去如何处理该发件人的邮件来评判来信。"
    ),
    "Whether mail of a sender with ten bad messages and no good one is refused, not filed.": (
        "已有十封不良邮件而无一封正常邮件的发件人，其来信是否直接拒收，而不是归入垃圾邮件。"
    ),
    "How long a history is kept after it was last noted.": "往来记录在最后一次更新之后保留多久。",
    "Domains beside those of the built-in list whose users have nothing to do with each other.": (
        "除内置名单外，哪些域名的用户彼此无关（例如公共邮箱）。"
    ),
    "How much other servers may bring to each process; offences and bans are common to those on one PostgreSQL.": (
        "其他服务器可以向每个进程投递多少邮件；违规计数和封禁由使用同一个 PostgreSQL 的各进程共享。"
    ),
    "Whether port 25 counts what other servers bring; off is for load tests.": (
        "25 端口是否统计其他服务器送来的邮件；关闭只用于压力测试。"
    ),
    "How many times the numbers below hold for an IPv4 /24 or an IPv6 /48 together.": (
        "一个 IPv4 /24 或 IPv6 /48 网段合计可达下列数值的多少倍。"
    ),
    "Messages from one address or IPv6 /64.": "来自一个地址或 IPv6 /64 的邮件数。",
    "Recipients named by one address or IPv6 /64.": "一个地址或 IPv6 /64 投递的收件人数。",
    "What one address or IPv6 /64 brings, counted in steps of 256 KiB.": (
        "一个地址或 IPv6 /64 送来的数据量，以 256 KiB 为一级计算。"
    ),
    "Recipients that do not exist, named by one address or IPv6 /64; beyond them it is banned.": (
        "一个地址或 IPv6 /64 投递的不存在的收件人数；超过即被封禁。"
    ),
    "Commands that are none or out of place, from one address or IPv6 /64; beyond them it is banned.": (
        "来自一个地址或 IPv6 /64 的无效或次序不当的命令数；超过即被封禁。"
    ),
    "TLS handshakes that failed, with one address or IPv6 /64.": "与一个地址或 IPv6 /64 失败的 TLS 握手数。",
    "Connections on which one address or IPv6 /64 spoke before it was its turn; beyond them it is banned.": (
        "一个地址或 IPv6 /64 抢先发送的连接数；超过即被封禁。"
    ),
    "Connections of one address or IPv6 /64 that ended without a message.": (
        "一个地址或 IPv6 /64 没有送来邮件就结束的连接数。"
    ),
    "New connections from an IPv4 /24 or an IPv6 /48; those of an address are in [admission].": (
        "来自一个 IPv4 /24 或 IPv6 /48 网段的新连接数；单个地址的上限在 [admission] 中。"
    ),
    "Messages for one of our accounts, whoever brings them.": "寄给本机某个账户的邮件数，不论由谁送来。",
    "How long a ban for an offence lasts at least.": "因违规而封禁的最短时长。",
    "Whether loopback and this machine's own addresses are exempt.": "回环地址与本机自己的地址是否豁免。",
    "Networks that are exempt, such as that of a backup mail server.": "豁免的网段，例如备用邮件服务器所在网段。",
    "How strangers are met on port 25.": "25 端口如何对待陌生连接。",
    "Whether strangers are met with delays and checks of their manners.": "是否对陌生连接施加延迟并检查其行为。",
    "How long a peer that brought no mail lately waits for the greeting; 0: not at all.": (
        "近期没有送来邮件的对端等待问候语的时长；0 表示不等。"
    ),
    "How long a peer whose mail was taken is known, and greeted at once.": (
        "邮件被收下的对端在多长时间内算作熟客并立即得到问候。"
    ),
    "Refused recipients and commands of a stranger's connection that cost no time.": (
        "陌生连接中不受延迟惩罚的被拒收件人与命令数。"
    ),
    "How long the answer to each fault after them waits.": "此后每个错误的答复延迟多久。",
    "Connections that are held for their faults at once; beyond them they are closed.": (
        "同时因错误而被拖住的连接数；超过则直接关闭。"
    ),
    "Whether a stranger who greets with our name or address is refused.": (
        "是否拒绝在 HELO/EHLO 中冒用本机名称或地址的陌生连接。"
    ),
    "How long a client may take for its next command (RFC 5321 §4.5.3.2.7).": (
        "客户端发出下一条命令可用的时间（RFC 5321 §4.5.3.2.7）。"
    ),
    "How slowly a client may go on.": "客户端可以慢到什么程度。",
    "How long a connection may last without the next message.": "一个连接在没有下一封邮件时可持续多久。",
    "Least rate at which a message comes, over three minutes.": "邮件传来的最低速率，按三分钟计算。",
    "How long one message may take.": "一封邮件可以用多长时间。",
}
