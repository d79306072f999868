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
    "Limits of every single connection.": "每个连接的限制。",
    "How many connections are let in.": "允许多少连接。",
    "Port 25.": "端口 25。",
    "Ports 465 and 587.": "端口 465 和 587。",
    "Ports 143 and 993.": "端口 143 和 993。",
    "Ports 110 and 995.": "端口 110 和 995。",
    "Ports 80 and 443.": "端口 80 和 443。",
    "How TLS begins and ends.": "TLS 的开始与结束。",
    "SMTP from other servers and from mail programs.": "来自其他服务器和邮件程序的 SMTP。",
    "What is done to mail that our users send.": "对本站用户所发邮件的处理。",
    "IMAP.": "IMAP。",
    "POP3.": "POP3。",
    "HTTP: health, metrics, well-known resources.": "HTTP：运行状况、指标、众所周知的资源。",
    "What is kept in memory.": "内存中保留什么。",
    "How users log in.": "用户如何登录。",
    "How passwords are checked and kept.": "密码如何校验和保存。",
    "Secrets for single mail programs.": "专供单个邮件程序使用的密码。",
    "Which accounts may use which services.": "哪些账户可以使用哪些服务。",
    "How many mail programs an account may use at once.": "一个账户可同时使用多少个邮件程序。",
    "Failed logins.": "登录失败。",
    "What a new account is given.": "新账户有什么。",
    "How long the trail of acts and logins is kept.": "操作和登录的记录保留多久。",
    "Which name servers are asked.": "询问哪些 DNS 服务器。",
    "Mail on its way out.": "正在外发的邮件。",
    "Where mail on its way out is handed over.": "外发邮件交到哪里。",
    "When a delivery that failed is tried again.": "投递失败后何时重试。",
    "How mail is handed to other servers.": "如何把邮件交给其他服务器。",
    # This host, and what it keeps
    "The name of this host, as other servers see it in DNS.": "本机名称，即其他服务器在 DNS 中看到的名称。",
    "Directory of everything that is kept.": "存放一切的目录。",
    "User to become once the ports are bound; empty: stay who we are.": "绑定端口后切换到的用户；空：不切换。",
    "How long connections may take to end when the server stops.": "停止服务时，连接最多多久结束。",
    "`sqlite` for one machine, or `postgres` for any database that speaks its protocol.": (
        "单机用 `sqlite`；任何使用 PostgreSQL 协议的数据库用 `postgres`。"
    ),
    "Where PostgreSQL is: postgresql://user@host/database.": "PostgreSQL 的位置：postgresql://user@host/database。",
    "Connections to PostgreSQL.": "到 PostgreSQL 的连接数。",
    "Threads that read the database.": "读取数据库的线程数。",
    "After this time at the latest a change of flags survives a power loss.": (
        "标记的改动最迟经过这段时间后，断电也不丢失。"
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
    "Messages of mailboxes kept in memory; each takes about 13 octets.": (
        "内存中保留的文件夹的邮件数；每封约占 13 字节。"
    ),
    # Listening
    "Addresses to listen on.": "监听的地址。",
    "Port; 0: the one that the world expects of the service.": "端口；0：该服务的标准端口。",
    "Oldest version of TLS that is accepted: 1.2 or 1.3.": "接受的最低 TLS 版本：1.2 或 1.3。",
    "Networks of proxies, which begin with a PROXY header (v1 or v2).": (
        "代理所在的网络，代理以 PROXY 头（v1 或 v2）开头。"
    ),
    "Whether other networks may connect too, without a header.": "其他网络是否也可以不带该头直接连接。",
    "How long a proxy may take for its header.": "代理最多多久送达该头。",
    "File with the certificate and those that lead to its root, in PEM.": "证书及其上级证书的文件，PEM 格式。",
    "File with the private key, in PEM, readable by Hongyan alone.": "私钥文件，PEM 格式，只有鸿雁可读。",
    "How long a peer may take for its handshake.": "对方最多多久完成握手。",
    "Handshakes under way at once; more wait their turn.": "同时进行的握手数；更多的排队等待。",
    "Handshakes that wait their turn; a connection beyond is closed.": "排队等待的握手数；超出的连接被关闭。",
    "How long a peer may take to end TLS.": "对方最多多久结束 TLS。",
    # Logs and the process
    "The least grave events that are logged: debug, info, warning or error.": (
        "记录的最低级别：debug、info、warning 或 error。"
    ),
    "One JSON object a line, or a form for people.": "每行一个 JSON 对象，或便于人读的形式。",
    'Levels of single areas, as in { imap = "debug" }.': '个别领域的级别，例如 { imap = "debug" }。',
    "Keep the threads that take turns on one core, the idlest.": "让轮流工作的线程待在最空闲的一个核上。",
    "How often another core is looked for.": "多久重新挑选一次核。",
    # Connections
    "What is read from a peer while a command is at work.": "命令执行期间最多从对方读入多少。",
    "What waits for a peer to read before it is served on.": "等对方读取的数据达到多少就暂停服务。",
    "How long a peer may leave a full buffer unread.": "缓冲区满后对方最多多久不读。",
    "How long the last reply may take to reach the peer.": "最后的答复最多多久送达对方。",
    "How long a command may go on after its peer is gone.": "对方离开后命令最多再执行多久。",
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
    "Messages of one connection.": "一个连接的邮件数。",
    "Recipients refused for good on one connection; beyond them it is closed.": (
        "一个连接上可被永久拒绝的收件人数；超出即断开。"
    ),
    "How long a refusal waits when ten recipients were refused already: who guesses names is slowed.": (
        "已拒绝十个收件人之后，每次拒绝等待多久再答：使猜测地址者变慢。"
    ),
    "How long a client may be silent (RFC 5321 §4.5.3.2.7).": "客户端最多沉默多久（RFC 5321 §4.5.3.2.7）。",
    "How long a mail program may take to log in.": "邮件程序最多多久登录。",
    "How long a mail program may be connected without a login.": "邮件程序不登录最多连接多久。",
    "Keep a copy of what is sent in the Sent mailbox; most mail programs do so.": (
        "在“已发送”中保留所发邮件的副本；多数邮件程序自己会做。"
    ),
    "Leave the sender's address out of the Received field.": "Received 字段不写发件人的网络地址。",
    "Sign mail that leaves with the DKIM keys of the sender's domain.": "用发件人域名的 DKIM 密钥为外发邮件签名。",
    # IMAP, POP3, web
    "Largest message that APPEND takes (RFC 7889).": "APPEND 接受的最大邮件（RFC 7889）。",
    "How long a client may take to log in.": "客户端最多多久登录。",
    "How long a client may be silent; not under 1800 (RFC 9051 §5.4).": (
        "客户端最多沉默多久；不少于 1800（RFC 9051 §5.4）。"
    ),
    "How long a client may be silent; not under 600 (RFC 1939 §3).": "客户端最多沉默多久；不少于 600（RFC 1939 §3）。",
    "How often an idling client hears that we are still here.": "多久告诉等待中的客户端我们还在。",
    "Sync a change of flags before it is confirmed; else within a second after.": (
        "标记的改动先落盘再确认；否则在确认后一秒内落盘。"
    ),
    "Commands answered in one go before other connections have their turn.": "轮到其他连接之前一次回答多少条命令。",
    "How long one SEARCH may take.": "一次 SEARCH 最多多久。",
    "Host names under which the web is reached, besides localhost.": "除 localhost 外访问网页所用的主机名。",
    "Largest header of a request.": "请求头的最大长度。",
    "Largest body of a request.": "请求体的最大长度。",
    "How long a request's header may take.": "请求头最多多久送达。",
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
    "App passwords of an account that may be in use at once; 0: no limit.": "一个账户可同时使用的授权码数；0：不限。",
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
    "How long a server is waited for before the next is asked.": "等一台服务器多久后改问下一台。",
    "How often all servers are asked before a question is given up.": "把所有服务器问多少轮后放弃。",
    "Answers that are remembered.": "记住的答案数。",
    "Questions that are under way at the same time.": "同时进行的查询数。",
    "Deliveries to other hosts that run at the same time.": "同时向其他主机投递的数量。",
    "Deliveries to one destination that run at the same time.": "同时向同一目的地投递的数量。",
    "Deliveries into the mailboxes of one domain that run at the same time.": "同时投入同一域名邮箱的数量。",
    "Recipients of one destination that are claimed at a time.": "同一目的地一次领取的收件人数。",
    "After how long another node takes over what a dead one was at.": "节点失效多久后由别的节点接手。",
    "Notifications that one address is sent within an hour; those beyond are not.": (
        "每小时内发给同一地址的通知数；超出的不发。"
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
}
