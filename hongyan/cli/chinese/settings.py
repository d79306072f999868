"""What settings and sections of the configuration do."""

from __future__ import annotations

__all__ = ["SETTINGS"]

SETTINGS: dict[str, str] = {
    # Types
    "true or false": "true 或 false",
    "a whole number": "整数",
    "a number": "数",
    "a text": "文本",
    "a table": "表",
    "a list, each element {kind}": "列表，每个元素为{kind}",
    "one of {values}": "{values} 之一",
    # Sections
    "This host, and where its data lie.": "本机，以及数据所在。",
    "For how long users may have a message kept back before it leaves (FUTURERELEASE); 0: not offered.": (
        "用户可以让邮件暂缓多久再发出（FUTURERELEASE）；0 表示不提供。"
    ),
    "Deliveries at the same time to the hosts of one provider, however many domains it serves.": (
        "同一服务商的主机同时投递数，不论其服务多少域名。"
    ),
    "Deliveries at the same time to a provider that has not taken any yet; each that succeeds allows one more.": (
        "对尚未成功投递过的服务商的同时投递数；每成功一次加一。"
    ),
    "How long hosts that cannot be reached are left alone, for all messages; the last one is repeated.": (
        "无法到达的主机暂停多久再试，对所有邮件有效；最后一项重复使用。"
    ),
    'What holds for single destinations: a domain, or the provider of its mail servers, as in "qq.com".': (
        "针对单个目的地的设置：域名，或其邮件服务器所属的服务商，例如 qq.com。"
    ),
    "Deliveries at the same time; 0: as for all.": "同时投递数；0 表示与其他相同。",
    "Deliveries within a minute; 0: any number.": "每分钟投递数；0 表示不限。",
    "Pauses before the next attempts; none: as for all.": "下一次重试前的间隔；空表示与其他相同。",
    "How long a message is tried; 0: as for all.": "邮件重试多久；0 表示与其他相同。",
    "Mail that is sent on to addresses elsewhere.": "转发到其他服务器的邮件。",
    "Rewrite the senders of mail that is forwarded, so that SPF passes (SRS).": (
        "改写转发邮件的信封发件人，使 SPF 通过（SRS）。"
    ),
    "The domain of rewritten senders: its mail comes here; empty: the name of this host.": (
        "改写后发件人所用的域名，其邮件须投递到本机；空表示本机主机名。"
    ),
    "Addresses that bounced: who is not written to.": "多次退信的地址：暂停向其发送。",
    "Hard bounces after which an address is suppressed for an account; 0: never.": (
        "某账户收到几次硬退信后暂停向该地址发送；0 表示从不。"
    ),
    "Hard bounces, of all accounts, after which it is suppressed for all; 0: never.": (
        "所有账户合计几次硬退信后对全部账户暂停；0 表示从不。"
    ),
    "How long a bounce counts.": "退信的计数有效期。",
    "How long an address is suppressed.": "暂停发送的时长。",
    "Which of our addresses mail leaves by; the first pool that fits.": "邮件从本机哪些地址发出；取第一个符合的池。",
    "IP addresses of this machine, or networks such as 192.0.2.0/24, in turn.": (
        "本机的 IP 地址，或网段（如 192.0.2.0/24），轮流使用。"
    ),
    "What EHLO says: one name for all addresses, or one for each; none: the name of this host.": (
        "EHLO 使用的名称：所有地址共用一个，或每个地址一个；空表示本机主机名。"
    ),
    "Domains or addresses whose mail leaves by this pool; none: anybody's.": (
        "哪些域名或地址的邮件由此地址池发出；空表示所有人。"
    ),
    "Domains or providers whose mail leaves by it; none: all.": "发往哪些域名或服务商的邮件由此发出；空表示全部。",
    "Let a new address begin with few messages a day.": "新地址每天从少量邮件开始预热。",
    "What accounts, messages and the queue are kept in.": "账户、邮件和队列存在哪里。",
    "How one machine keeps messages on its disk.": "单机如何把邮件存在磁盘上。",
    "What is removed when nothing refers to it any more.": "不再被引用的东西何时清除。",
    "The services that are offered; one that is not named is off. NAME is one of: {names}.": (
        "提供的服务；没有写出的即为关闭。NAME 为：{names}。"
    ),
    "Whether a proxy stands before it.": "前面是否有代理。",
    "Certificates for TLS; the first is shown to those who ask for no name or for one that is not known.": (
        "TLS 证书；对方不问名称或问的名称未知时，出示第一个。"
    ),
    "What is logged, and in which form.": "记录什么日志，以什么形式。",
    "How the process uses the machine.": "进程如何使用本机。",
    "Who sent what comes in: SPF, DKIM, ARC, DMARC.": "收到的邮件由谁发出：SPF、DKIM、ARC、DMARC。",
    "Check SPF, DKIM, ARC and DMARC of mail from other servers.": (
        "对其他服务器送来的邮件核查 SPF、DKIM、ARC 和 DMARC。"
    ),
    "How long DNS may be asked about one message (RFC 7208 §4.6.4: 20 at least).": (
        "为一封邮件最多查询 DNS 多长时间（RFC 7208 §4.6.4：至少 20 秒）。"
    ),
    "What a failed DMARC policy leads to: as its owner wishes, Junk at most, or only a note.": (
        "DMARC 未通过时如何处理：按域名所有者的意愿（enforce）、最多放入垃圾邮件（junk）、仅作记录（note）。"
    ),
    "What a fail (-all) of SPF leads to, when neither DKIM nor DMARC vouches for the message.": (
        "SPF 明确拒绝（-all）且 DKIM 和 DMARC 都不为邮件作证时如何处理。"
    ),
    "Networks of relays of ours, such as a backup MX: SPF is not asked of them, and no policy is enforced.": (
        "自己的中继所在网段（例如备用 MX）：不核查其 SPF，也不执行策略。"
    ),
    "Domains of forwarders and lists whose ARC seals are believed when DMARC fails.": (
        "DMARC 未通过时，采信其 ARC 封印的转发方和邮件列表的域名。"
    ),
    "How what comes in is examined.": "如何检查收到的邮件。",
    "How long checks of whole messages may take; what a late one counts for is its own setting.": (
        "对整封邮件的各项检查总共最多用多长时间；超时的检查如何算，由其自身的设置决定。"
    ),
    "Limits of every single connection.": "每个连接的限制。",
    "How many connections each process lets in.": "每个进程允许多少连接。",
    "Port 25.": "端口 25。",
    "Ports 465 and 587, and where a certificate is asked for.": "端口 465 和 587，以及要求证书的端口。",
    "Ports 143 and 993, and where a certificate is asked for.": "端口 143 和 993，以及要求证书的端口。",
    "Ports 110 and 995, and where a certificate is asked for.": "端口 110 和 995，以及要求证书的端口。",
    "Ports 80 and 443.": "端口 80 和 443。",
    "How TLS begins and ends.": "TLS 的开始与结束。",
    "SMTP from other servers and from mail programs.": "来自其他服务器和邮件客户端的 SMTP。",
    "What is done to mail that our users send.": "对本站用户所发邮件的处理。",
    "IMAP.": "IMAP。",
    "POP3.": "POP3。",
    "HTTP: health, metrics, well-known resources.": "HTTP：运行状况、指标、/.well-known/ 资源。",
    "What is kept in memory.": "内存中缓存的内容。",
    "Mailboxes that users share with each other.": "用户之间共享的邮箱文件夹。",
    "Whether users may share mailboxes with each other.": "用户是否可以互相共享邮箱文件夹。",
    "Whether users may share a mailbox with `anyone`: all accounts of their own domain are shown it.": (
        "用户是否可以将文件夹共享给 anyone：本域的所有账户都会看到它。"
    ),
    "Whether users may share mailboxes with accounts of other domains that are served here.": (
        "用户是否可以与本机所服务的其他域的账户共享文件夹。"
    ),
    "What mail programs note about mailboxes (METADATA).": "邮件客户端对文件夹所作的注释（METADATA）。",
    "Largest value of an entry.": "单个条目的最大值。",
    "Entries that one mailbox may have, shared ones and each viewer's private ones.": (
        "一个文件夹可有的条目数，共享条目与每位查看者的私有条目分别计算。"
    ),
    "Octets of all entries of an account.": "一个账户所有条目的总字节数。",
    "a value may have 1024 octets, a mailbox one entry, an account one value at least": (
        "单个值至少 1024 字节，每个文件夹至少一个条目，每个账户至少容纳一个值"
    ),
    "How users log in.": "用户如何登录。",
    "How passwords are checked and kept.": "密码如何校验和保存。",
    "Secrets for single mail programs.": "专供单个邮件客户端使用的密码。",
    "Which accounts may use which services.": "哪些账户可以使用哪些服务。",
    "How many mail programs an account may use at once.": "一个账户可同时使用多少个邮件客户端。",
    "Failed logins; processes on one PostgreSQL count together.": "登录失败；使用同一个 PostgreSQL 的各进程合并计数。",
    "What a new account is given.": "新账户的初始设置。",
    "How long the trail of acts and logins is kept.": "操作和登录的记录保留多久。",
    "Which name servers are asked.": "询问哪些 DNS 服务器。",
    "Which zones are changed, where, and by which key.": "更改哪些 DNS 区域、在哪台服务器上、用哪个密钥。",
    "Mail on its way out.": "正在外发的邮件。",
    "Where mail on its way out is handed over.": "外发邮件交到哪里。",
    "When a delivery that failed is tried again.": "投递失败后何时重试。",
    "How mail is handed to other servers.": "如何把邮件交给其他服务器。",
    # This host, and what it keeps
    "The name of this host, as other servers see it in DNS.": "本机名称，即其他服务器在 DNS 中看到的名称。",
    "Directory of everything that is kept.": "存放一切的目录。",
    "User to become once the ports are bound; empty: stay who we are.": "绑定端口后切换到的用户；空：不切换。",
    "How long connections may take to end when the server stops.": "停止服务时，等待连接结束的时限。",
    "`sqlite` for one machine, or `postgres` for any database that speaks its protocol.": (
        "单机用 `sqlite`；任何使用 PostgreSQL 协议的数据库用 `postgres`。"
    ),
    "Where PostgreSQL is: postgresql://user@host/database.": "PostgreSQL 的位置：postgresql://user@host/database。",
    "Connections to PostgreSQL.": "到 PostgreSQL 的连接数。",
    "Threads that read the database.": "读取数据库的线程数。",
    "After this time at the latest a change of flags survives a power loss.": (
        "标记的改动最迟经过这段时间后，断电也不丢失。"
    ),
    "Size from which a message is stored compressed. Reading a smaller one would take longer than its room is worth.": (
        "邮件达到多大才压缩存放。更小的邮件，解压所费的时间不值所省的空间。"
    ),
    "Size at which a file of message contents is full.": "存放邮件内容的文件多大算满。",
    "Free disk space that new mail does not touch: beneath it the answer is 452.": (
        "新邮件不占用的磁盘剩余空间：不足时回答 452。"
    ),
    "Entries of an account's log that are kept: who was away for longer synchronizes anew.": (
        "账户变更日志保留的条数：离开更久的客户端重新同步。"
    ),
    "Age at which entries of an account's log are removed though they are fewer.": (
        "账户变更日志即使不多，到这个期限也清除。"
    ),
    "Living share of a file of message contents beneath which it is copied away.": (
        "邮件内容文件的有效比例低于此数时，把有效部分搬走。"
    ),
    "Message contents that one sweep copies at most.": "一次清理最多搬运多少邮件内容。",
    "For so long a file to which nothing refers any more is kept.": "不再被引用的文件保留多久。",
    "What mailboxes kept in order for SORT and THREAD may take in memory.": (
        "为 SORT 和 THREAD 保存的邮件顺序最多占用多少内存。"
    ),
    "Messages of mailboxes kept in memory; each takes about 13 octets.": (
        "内存中保留的文件夹的邮件数；每封约占 13 字节。"
    ),
    # Listening
    "Addresses to listen on.": "监听的地址。",
    "Port; 0: the one that the world expects of the service.": "端口；0：该服务的标准端口。",
    "modern: TLS 1.3; intermediate: 1.2 and newer; legacy: 1.0 and newer, for old devices;"
    " empty: modern for submission, intermediate for the others.": (
        "modern：仅 TLS 1.3；intermediate：1.2 及以上；legacy：1.0 及以上，供旧设备使用；"
        "空：邮件提交用 modern，其余用 intermediate。"
    ),
    "Networks of proxies, which begin with a PROXY header (v1 or v2).": (
        "代理所在的网络，代理以 PROXY 头（v1 或 v2）开头。"
    ),
    "Whether other networks may connect too, without a header.": "其他网络是否也可以不带该头直接连接。",
    "How long a proxy may take for its header.": "代理发送该头的时限。",
    "File with the certificate and those that lead to its root, in PEM.": "证书及其上级证书的文件，PEM 格式。",
    "File with the private key, in PEM, readable by Hongyan alone.": "私钥文件，PEM 格式，只有鸿雁可读。",
    "How long a peer may take for its handshake.": "对方完成握手的时限。",
    "Handshakes under way at once; more wait their turn.": "同时进行的握手数；更多的排队等待。",
    "Handshakes that wait their turn; a connection beyond is closed.": "排队等待的握手数；超出的连接被关闭。",
    "How long a peer may take to end TLS.": "对方结束 TLS 的时限。",
    # Logs and the process
    "The least grave events that are logged: debug, info, warning or error.": (
        "记录的最低级别：debug、info、warning 或 error。"
    ),
    "One JSON object a line, or a form for people.": "每行一个 JSON 对象，或便于人读的形式。",
    'Levels of single areas, as in { imap = "debug" }.': '各部分单独的日志级别，例如 { imap = "debug" }。',
    "Keep the threads that take turns on one core, the idlest.": "让轮流工作的线程固定在最空闲的一个核上。",
    "How often another core is looked for.": "多久重新挑选一次核。",
    # Connections
    "What is read from a peer while a command is at work.": "命令执行期间最多从对方读入多少。",
    "What waits for a peer to read before it is served on.": "等对方读取的数据达到多少就暂停服务。",
    "How long a peer may leave a full buffer unread.": "缓冲区满后，对方不读取的最长时间。",
    "How long the last reply may take to reach the peer.": "最后的答复送达对方的时限。",
    "How long a command may go on after its peer is gone.": "对方断开后，命令最多继续执行的时间。",
    "Connections at once, in total.": "同时连接的总数。",
    "Connections at once from one address or IPv6 /64.": "同一地址或 IPv6 /64 的同时连接数。",
    "New connections within a minute from one address or IPv6 /64; 0: no limit.": (
        "同一地址或 IPv6 /64 每分钟的新连接数；0：不限。"
    ),
    "Share of all connections that is kept for networks known by a login.": "为曾经登录过的网络保留的连接比例。",
    "Networks without limits of their own, such as a NAT of our users.": "不单独受限的网络，例如本站用户的 NAT。",
    # SMTP and submission
    "Largest message that is taken (SIZE, RFC 1870).": "接受的最大邮件（SIZE，RFC 1870）。",
    "Recipients of one message (RFC 5321 §4.5.3.1.10 asks for 100 at least).": (
        "一封邮件的收件人数（RFC 5321 §4.5.3.1.10 要求至少 100）。"
    ),
    "What waits in memory of messages that come in.": "接收中的邮件占用的内存。",
    "Messages on their way in: what of them all together waits in memory; what is more goes to temporary files.": (
        "所有正在接收的邮件合计最多占用多少内存；超出部分写入临时文件。"
    ),
    "in_memory is not negative": "in_memory 不能为负数",
    "Messages of one connection.": "一个连接的邮件数。",
    "Recipients refused for good on one connection; beyond them it is closed.": (
        "一个连接上可被永久拒绝的收件人数；超出即断开。"
    ),
    "How long a refusal waits when ten recipients were refused already: who guesses names is slowed.": (
        "已拒绝十个收件人之后，每次拒绝等待多久再答：使猜测地址者变慢。"
    ),
    "How long a mail program may take to log in.": "邮件客户端登录的时限。",
    "How long a mail program may be connected without a login.": "邮件客户端未登录时可保持连接的时限。",
    "Keep a copy of what is sent in the Sent mailbox; most mail programs do so.": (
        "在“已发送”中保留所发邮件的副本；多数邮件客户端自己会做。"
    ),
    "Leave the sender's address out of the Received field.": "Received 字段不写发件人的网络地址。",
    "Sign mail that leaves with the DKIM keys of the sender's domain.": "用发件人域名的 DKIM 密钥为外发邮件签名。",
    # IMAP, POP3, web
    "Largest message that APPEND takes (RFC 7889).": "APPEND 接受的最大邮件（RFC 7889）。",
    "How long a client may take to log in.": "客户端登录的时限。",
    "How long a client may be silent; not under 1800 (RFC 9051 §5.4).": (
        "客户端静默的时限；不少于 1800（RFC 9051 §5.4）。"
    ),
    "How long a client may be silent; not under 600 (RFC 1939 §3).": "客户端静默的时限；不少于 600（RFC 1939 §3）。",
    "How often an idling client hears that we are still here.": "多久告诉等待中的客户端我们还在。",
    "Sync a change of flags before it is confirmed; else within a second after.": (
        "标记的改动先落盘再确认；否则在确认后一秒内落盘。"
    ),
    "Commands answered in one go before other connections have their turn.": "轮到其他连接之前一次回答多少条命令。",
    "How long one SEARCH may take.": "一次 SEARCH 的时限。",
    "Host names under which the web is reached, besides localhost.": "除 localhost 外访问网页所用的主机名。",
    "Largest header of a request.": "请求头的最大长度。",
    "Largest body of a request.": "请求体的最大长度。",
    "How long a request's header may take.": "请求头送达的时限。",
    "How long a request may take from its header to its answer.": "请求从头部到答复最多多久。",
    "How long a connection is kept for another request.": "连接为下一个请求保留多久。",
    "Networks that may read the metrics and the details of the server's health.": "可以读取指标和运行详情的网络。",
    "What other servers are told of TLS (MTA-STS): off, testing or enforce; see `hongyan domain dns`.": (
        "告知其他服务器的 TLS 策略（MTA-STS）：off、testing 或 enforce；见 `hongyan domain dns`。"
    ),
    "Where holes are reported: a mailto: or https: URI, shown in security.txt.": (
        "向哪里报告漏洞：mailto: 或 https: 链接，写在 security.txt 中。"
    ),
    "URL of the policy for those who report holes.": "漏洞报告政策的网址。",
    "Languages in which reports are read.": "能读懂的报告语言。",
    # Logins
    "Where users read about app passwords; told at each failed login.": "用户在哪里了解授权码；每次登录失败时告知。",
    "Services, of `imap`, `pop3` and `smtp`, where the account's own password is accepted as well.": (
        "`imap`、`pop3`、`smtp` 之中也接受账户密码的服务。"
    ),
    "Domain of login names without one.": "登录名不带域名时所用的域名。",
    "Whether logins without TLS are taken from this machine itself.": "是否接受来自本机自身、不经 TLS 的登录。",
    "Passes of argon2id over its memory.": "argon2id 的遍数。",
    "Memory of one argon2id hash.": "一次 argon2id 的内存。",
    "Passwords that wait for their check; a login beyond is asked to try later.": (
        "等待校验的密码数；超出的登录被要求稍后再试。"
    ),
    "Characters that a new password has at least.": "新密码至少有多少字符。",
    "App passwords that an account may have at once.": "一个账户最多有多少授权码。",
    "Classes of account that may use POP3, such as `enterprise`; empty: every class.": (
        "可以使用 POP3 的账户类别，例如 `enterprise`；空：不限。"
    ),
    "App passwords and client certificates of an account that may be in use at once; 0: no limit.": (
        "一个账户可同时使用的授权码和客户端证书数；0：不限。"
    ),
    "After so long without a login a device is not in use any more.": "设备多久不登录就不再算使用中。",
    "Whether failed logins are limited; off is for load tests.": "是否限制登录失败；关闭只用于压力测试。",
    "Failed logins from one address or IPv6 /64 that are let pass.": "同一地址或 IPv6 /64 允许的登录失败次数。",
    "Failed logins with one name from one address or IPv6 /64.": "同一地址或 IPv6 /64 以同一名称登录失败的次数。",
    "Failed logins with one name from networks it never logged in from, before they are slowed.": (
        "从未登录过的网络以同一名称登录失败多少次后减慢。"
    ),
    "How long such a login then waits for its answer.": "减慢后登录等待答复多久。",
    "Networks, such as a NAT of our users, to which only the limit for one name applies.": (
        "只按名称限制的网络，例如本站用户的 NAT。"
    ),
    "What a new account may store; 0: no limit.": "新账户的容量；0：不限。",
    "Messages that a new account may store; 0: no limit.": "新账户可存的邮件数；0：不限。",
    "How long acts of admins and owners are kept.": "管理员和所有者的操作记录保留多久。",
    "How long login attempts and known networks are kept.": "登录记录和已知网络保留多久。",
    "Kinds of login attempt that are kept for one account, the newest.": "每个账户保留多少种最近的登录记录。",
    # DNS and the way out
    "HOST:PORT of recursive resolvers, in the order to ask; empty: those of /etc/resolv.conf.": (
        "递归解析器 HOST:PORT，按询问顺序；空：用 /etc/resolv.conf 所写的。"
    ),
    "Believe these servers when they say that DNSSEC holds; one on loopback is always believed.": (
        "是否相信这些服务器的 DNSSEC 结论；本机回环上的总是相信。"
    ),
    "How long a server is waited for before the next is asked.": "等待一台服务器多久后改问下一台。",
    "How often all servers are asked before a question is given up.": "询问所有服务器多少轮后放弃。",
    "Answers that are remembered.": "记住的答案数。",
    "Questions that are under way at the same time.": "同时进行的查询数。",
    # Changing zones
    "Zones that this key may change; empty: any that no other entry names.": (
        "此密钥可更改的区域；空：未被其他条目写出的区域。"
    ),
    "HOST:PORT of the primary server, an IP address; empty: the one that the SOA names.": (
        "主服务器的 地址:端口（IP 地址）；空：SOA 所指的服务器。"
    ),
    "Name of the TSIG key.": "TSIG 密钥的名称。",
    "File with the secret of the TSIG key in base64, readable by Hongyan alone.": (
        "存放 TSIG 密钥（base64）的文件，只有 Hongyan 可读。"
    ),
    "Algorithm of the TSIG key: hmac-sha256, -384 or -512.": "TSIG 密钥的算法：hmac-sha256、-384 或 -512。",
    "HOST:PORT of the servers that have to show a change; empty: all that the zone names.": (
        "须显示更改的服务器的 地址:端口；空：该区域的全部服务器。"
    ),
    "How long others may remember a record that is written.": "所写记录可被他人缓存多久。",
    "How long a server may take for an answer.": "服务器回答可用多长时间。",
    "How long the servers of a zone may take to show a change.": "区域的各服务器显示更改可用多长时间。",
    "Deliveries to other hosts that run at the same time.": "同时向其他主机投递的数量。",
    "Deliveries to one destination that run at the same time.": "同时向同一目的地投递的数量。",
    "Deliveries into the mailboxes of one domain that run at the same time.": "同时投入同一域名邮箱的数量。",
    "Recipients of one destination that are claimed at a time.": "同一目的地一次领取的收件人数。",
    "After how long another node takes over what a dead one was at.": "节点失效多久后由别的节点接手。",
    "Notifications that one address is sent within an hour; those beyond are not.": (
        "每小时内发给同一地址的通知数；超出的不发。"
    ),
    "The same for one who has asked for a notification for each recipient (XVERP).": (
        "同上，但针对要求每个收件人各发一份通知（XVERP）的发件人。"
    ),
    "HOST:PORT of a relay that takes all outgoing mail; empty: deliver by MX.": (
        "接收全部外发邮件的中继 HOST:PORT；空：按 MX 投递。"
    ),
    "TLS towards the relay: never, opportunistic, required or verified.": (
        "到中继的 TLS：never、opportunistic、required 或 verified。"
    ),
    "Name to log in with at the relay; the secret stands in its own file.": "登录中继的用户名；密码另存于文件。",
    "Which addresses of a host are tried, and which come first.": "尝试主机的哪些地址，哪些优先。",
    "Deliver to hosts whose address is private or loopback too; a relay named here is always allowed.": (
        "是否也投递到内网或回环地址的主机；这里指定的中继总是允许。"
    ),
    "Hold mail for other servers in the queue: for a server that is tried out.": (
        "把发往其他服务器的邮件暂扣在队列中：供试用的服务器使用。"
    ),
    # Outgoing TLS
    "How connections to other servers are secured.": "到其他服务器的连接如何加密。",
    "Obey TLSA records of other domains; it takes a resolver that validates DNSSEC.": (
        "遵守其他域名的 TLSA 记录（DANE）；需要会验证 DNSSEC 的解析服务器。"
    ),
    "Obey the MTA-STS policies of other domains.": "遵守其他域名的 MTA-STS 策略。",
    "Remember how well connections to a domain were secured, and hold mail back when it is offered less.": (
        "记住到每个域名的连接曾有多安全；对方降级时暂缓投递。"
    ),
    "How long that is remembered after it was last seen.": "最后一次见到之后记住多久。",
    "How long a level must last before it is remembered, unless the domain itself vouches for it.": (
        "安全级别持续多久才被记住；域名自身担保的立即记住。"
    ),
    "Let senders waive all this for a message by `TLS-Required: No`.": (
        "允许发件人用 `TLS-Required: No` 对单封邮件放弃以上要求。"
    ),
    "A file of certificates in PEM: authorities to trust besides those that this machine trusts.": (
        "PEM 证书文件：除本机信任的之外，还信任这些证书机构。"
    ),
    "Port at which MTA-STS policies are fetched; any other is for trying out.": (
        "获取 MTA-STS 策略的端口；其他值仅供试验。"
    ),
    "Pauses before the next attempts at a recipient that was deferred; the last one is repeated.": (
        "暂缓的收件人各次重试前的间隔；最后一个重复使用。"
    ),
    "How long a message is tried before it goes back to its sender.": "一封邮件尝试多久后退回发件人。",
    "After how long a sender is told, once, that a message is still waiting; 0: never.": (
        "多久后通知发件人（一次）邮件仍在等待；0：不通知。"
    ),
    "The IPv4 address that deliveries come from; empty: the system chooses.": (
        "投递所用的本机 IPv4 地址；空：由系统选择。"
    ),
    "The IPv6 address that deliveries come from; empty: the system chooses.": (
        "投递所用的本机 IPv6 地址；空：由系统选择。"
    ),
    "Connections to one relay, or to the servers of one domain.": "到一个中继，或到一个域名的服务器的连接数。",
    "Send content by BDAT to servers that offer CHUNKING.": "对提供 CHUNKING 的服务器用 BDAT 发送内容。",
    "What is kept of what became of messages.": "邮件去向记录的保留。",
    "How long the steps of messages are kept.": "邮件各步骤的记录保留多久。",
    "Steps that are kept for one account, the newest.": "每个账户最多保留多少条步骤，留最新的。",
    "Kinds of refusal that an account is told of each day, one by one; further ones are only counted.": (
        "每天向一个账户逐条列出的拒收种类数；超出的只计数。"
    ),
    "Kinds of refusal that all accounts together are told of each day.": "每天向全部账户合计列出的拒收种类数。",
    "Steps that may wait in memory to be written; those beyond are not kept.": (
        "可在内存中等待写入的步骤数；超出的不保留。"
    ),
    # Certificates from an authority
    "Certificates from an authority such as Let's Encrypt, over ACME.": "通过 ACME 从 Let's Encrypt 等机构取得证书。",
    "File with the key of the external account, in base64url.": "存放外部账户密钥（base64url）的文件。",
    "Further names for the certificate of this host.": "本机证书中的其他名称。",
    "How long an order may take from its beginning to its certificate.": "一次申请从开始到取得证书最长可用时间。",
    "How long the authority may take for one answer.": "颁发机构每次回答最长可用时间。",
    "Keep the private key at each renewal; without it DNS (TLSA) decides.": "续期时保留私钥；否则由 DNS（TLSA）决定。",
    "Key identifier of an external account, for authorities that want one.": "外部账户的密钥标识，供要求它的机构使用。",
    "Mail address at which the authority may reach you.": "颁发机构可联系您的邮箱地址。",
    "Obtain certificates from an authority, and renew them.": "从颁发机构取得证书并自动续期。",
    "Say that you accept the authority's terms of service; without it nothing is asked.": (
        "声明您接受颁发机构的服务条款；否则不会申请。"
    ),
    "URL of the authority's ACME directory.": "颁发机构 ACME 目录的 URL。",
    "Day from which clients are told that this listener ends, as 2027-01-01; empty: none.": (
        "从哪天起告知客户端此端口将停用，例如 2027-01-01；空：无。"
    ),
    "Day from which nobody is served here any more, as 2027-03-01; empty: none.": (
        "从哪天起此端口不再提供服务，例如 2027-03-01；空：无。"
    ),
}
