"""The help of commands and of their parameters."""

from __future__ import annotations

__all__ = ["HELP"]

HELP: dict[str, str] = {
    # The page of help itself
    "Usage": "用法",
    "Commands": "命令",
    "Arguments": "参数",
    "Options": "选项",
    "COMMAND": "命令",
    "OPTIONS": "选项",
    "[default: {value}]": "[默认：{value}]",
    "[required]": "[必填]",
    "Display this message and exit.": "显示本帮助并退出。",
    "Display application version.": "显示版本。",
    "Mail from end to end: SMTP, IMAP and POP3 in one process.": "完整的邮件服务：一个进程提供 SMTP、IMAP 和 POP3。",
    # Options that many share
    "Look whether it could be done, and do nothing.": "只检查能否执行，不做任何改动。",
    "Answer with one JSON document.": "以一个 JSON 文档输出。",
    "The configuration file; else $HONGYAN_CONFIG, ./hongyan.toml or /etc/hongyan/hongyan.toml.": (
        "配置文件；省略时依次为 $HONGYAN_CONFIG、./hongyan.toml、/etc/hongyan/hongyan.toml。"
    ),
    "The data directory of a service that runs without a file, as a demonstration does.": (
        "没有配置文件的服务（例如演示服务）的数据目录。"
    ),
    "Do not ask.": "不再询问。",
    # quickstart
    "Look whether this machine is fit for mail, write all that a service needs, and print its DNS records.": (
        "检查本机是否适合收发邮件，生成服务所需的全部文件，并打印所需的 DNS 记录。"
    ),
    "The first account, an admin's: you@your.domain.": "第一个账户，即管理员：you@your.domain。",
    "The name of this host; else its own, or mail.your.domain.": (
        "本机名称；省略时为本机自己的名称，或 mail.your.domain。"
    ),
    "Where configuration, certificate and unit are written.": "配置、证书和 systemd 单元的存放位置。",
    "Where mail is kept.": "邮件存放在哪里。",
    "The user that the service runs as.": "服务以哪个用户运行。",
    "Make a request for a certificate too, for a public authority.": "同时生成证书请求，供公共证书机构签发。",
    "Go on, whatever the checks find.": "无论检查结果如何都继续。",
    # serve, demo
    "Run the service.": "运行服务。",
    "Run a throw-away service on loopback, for programs and tests.": (
        "在本机回环地址上运行一个临时服务，供程序和测试使用。"
    ),
    "The configuration file.": "配置文件。",
    "Serve hongyan.test on loopback, with two accounts, and print how to log in.": (
        "在回环地址上为 hongyan.test 提供服务，附两个账户，并打印登录方法。"
    ),
    "With --development: where its data are kept.": "配合 --development：数据存放在哪里。",
    "Print one line of JSON when it is ready.": "就绪时打印一行 JSON。",
    "Keep the data here; else they are gone at the end.": "把数据保存在这里；省略时结束后即删除。",
    "Listen on this plus 25, 465, 587 and so on; else on free ports.": (
        "监听此数加 25、465、587 等端口；省略时用空闲端口。"
    ),
    "Make an account ADDRESS=SECRET, whose password and app password are the secret.": (
        "创建账户 ADDRESS=SECRET，密码和授权码都是 SECRET。"
    ),
    "Make so many accounts u000 and so on, with the secret of --secret.": (
        "创建指定数量的账户 u000……，密码由 --secret 给出。"
    ),
    "The secret of the accounts of --accounts.": "--accounts 所建账户的密码。",
    "Take logins without TLS.": "允许不经 TLS 登录。",
    "Whether connections and logins are limited.": "是否限制连接和登录。",
    "HOST:PORT of the DNS server to ask.": "查询所用的 DNS 服务器，HOST:PORT。",
    "HOST:PORT that takes all outgoing mail. Without it and --resolver, such mail is held.": (
        "接收全部外发邮件的中继，HOST:PORT。不给它也不给 --resolver 时，外发邮件一律暂扣。"
    ),
    # config
    "Say what is wrong with a configuration file, with line and remedy; start nothing.": (
        "指出配置文件的错误所在行和改法；不启动服务。"
    ),
    "Print settings: what each does, its type, its default, its unit.": "打印设置项：作用、类型、默认值、单位。",
    "The file; else the one that `serve` would read.": "文件；省略时为 `serve` 会读取的那个。",
    "A section, a setting, or the end of its name; else all.": "节、设置项，或其名称的末段；省略时为全部。",
    # domain
    "Domains that are served, and their DNS records.": "所服务的域名及其 DNS 记录。",
    "Serve a domain: make its DKIM keys, and print the DNS records that it wants.": (
        "添加域名：生成 DKIM 密钥，并打印所需的 DNS 记录。"
    ),
    "List the domains that are served.": "列出本服务器的域名。",
    "Serve a domain no longer, once it has neither accounts nor aliases.": ("移除域名；该域名须已没有账户和别名。"),
    "Print the DNS records that a domain should have, as a zone file has them.": (
        "以区域文件的形式打印一个域名应有的 DNS 记录。"
    ),
    "A domain that mail goes to; all that are known, if none is named.": "收信方域名；不写则列出全部已知域名。",
    "Forget it: the next message takes what is offered then.": "清除记录：下一封邮件按届时对方提供的加密投递。",
    "Show to how much TLS other domains are held when mail goes to them, or forget it.": (
        "查看外发邮件时对各域名要求的 TLS 级别，或清除这些要求。"
    ),
    "Compare the DNS records that a domain should have with those that it has.": (
        "比较一个域名应有的与现有的 DNS 记录。"
    ),
    "The domain.": "域名。",
    # account
    "Accounts: who has mail here.": "账户：本服务器上的邮箱用户。",
    "Make an account, with its mailboxes and a first app password that is shown once.": (
        "创建账户，连同各文件夹和第一个授权码（只显示一次）。"
    ),
    "List accounts.": "列出账户。",
    "Take an account out of use: no logins, no deliveries, its mail stays. Or switch single services off.": (
        "停用账户：不能登录，不再收信，邮件保留。或只关闭个别服务。"
    ),
    "Put an account into use again. Or switch single services on.": "重新启用账户。或只开启个别服务。",
    "Remove an account with all its mail, for good.": "永久删除账户及其全部邮件。",
    "Give an account another password. Its app passwords are revoked, and its connections end.": (
        "更换账户的密码。其授权码全部作废，现有连接断开。"
    ),
    "The account's address.": "账户的地址。",
    "The owner's name.": "用户的姓名。",
    "Make it an admin, who reads postmaster and abuse.": "设为管理员，由其接收发往 postmaster 和 abuse 的邮件。",
    "Count it as a business account.": "算作企业账户。",
    "The language in which the server writes to the owner.": "服务器给用户发信时使用的语言。",
    "What it may store, in MiB; 0: no limit.": "容量，单位 MiB；0 表示不限。",
    "Where its password comes from: made up and shown once, asked for, or the first line of the input.": (
        "密码的来源：自动生成并显示一次、当场询问，或取标准输入的第一行。"
    ),
    "This service alone; may be said several times.": "只针对这一服务；可多次给出。",
    "Those of this domain.": "只限这一域名。",
    "Show what each stores and may store.": "显示各账户的用量和容量。",
    # app-password
    "App passwords: secrets for single mail programs.": "授权码：专供单个邮件客户端使用的密码。",
    "Make an app password, and show it this once.": "生成授权码，只显示这一次。",
    "List the app passwords of an account, and when each was last used. Nobody knows the secrets.": (
        "列出账户的授权码及各自最近一次使用的时间。授权码本身无人知晓。"
    ),
    "Revoke app passwords. Connections that were opened with them end.": "作废授权码。用它们登录的连接随即断开。",
    "What it is for, such as the name of a device.": "用途，例如设备名称。",
    "For this service alone; may be said several times.": "只用于这一服务；可多次给出。",
    "Its number in the list; several may be said.": "列表中的编号；可给出多个。",
    "Revoke all.": "全部作废。",
    # alias
    "Aliases: addresses that stand for others.": "别名：代表其他地址的地址。",
    "Make an alias, or replace it.": "创建或替换别名。",
    "List aliases.": "列出别名。",
    "Remove an alias.": "删除别名。",
    "The alias; *@DOMAIN gets what nobody else of the domain does.": ("别名；*@DOMAIN 接收该域名下无人认领的邮件。"),
    "Who gets its mail.": "由谁收取其邮件。",
    "More who get it.": "其他收取者。",
    "Let those who get its mail write from it too.": "收取其邮件的人也可以用它发信。",
    # queue
    "Mail on its way out.": "正在外发的邮件。",
    "List messages that wait.": "列出等待中的邮件。",
    "Show one message, and what the last attempts brought.": "显示一封邮件及最近几次投递的结果。",
    "Try again now. What was held is held no longer.": "立即重试。暂扣的也一并放行。",
    "Keep messages back until `queue release` or `queue retry`.": "暂扣邮件，直到 `queue release` 或 `queue retry`。",
    "Let held messages go, each when it is due.": "放行暂扣的邮件，到期即发送。",
    "Take back a message that waits for its release.": "撤回尚未到发送时间的邮件。",
    "Addresses that are not written to, because they bounced.": "因退信而暂停发送的地址。",
    "List addresses that are suppressed.": "列出暂停发送的地址。",
    "How many addresses at most.": "最多列出多少个地址。",
    "The address that bounced.": "退信的地址。",
    "Only for this account.": "仅针对该账户。",
    "Let an address be written to again.": "恢复向该地址发送。",
    "Only if this account sent it.": "仅当由该账户发出时。",
    "Messages that this account sent.": "该账户发出的邮件。",
    "Drop messages for good. Their senders are not told.": "永久丢弃邮件，不通知发件人。",
    "Messages by their ids.": "按编号指定邮件。",
    "Recipients in this domain.": "收件人属于这一域名。",
    "Messages of this sender.": "这一发件人的邮件。",
    "Everything in the queue.": "队列中的全部邮件。",
    "Recipients that wait, or that are held.": "等待中的，或暂扣的收件人。",
    "How many messages at most.": "最多列出多少封。",
    "The message's id.": "邮件的编号。",
    # mail
    "What became of messages.": "邮件的去向。",
    "Show messages step by step: who, when, where, what the other server said, why, and what can be done.": (
        "逐步显示邮件的去向：谁、何时、何处、对方服务器说了什么、原因，以及可以怎么办。"
    ),
    "The mid that replies, Received fields and the log tell.": "应答、Received 字段和日志中的 mid。",
    "Messages that this account sent or was sent.": "这一账户发出或收到的邮件。",
    "Messages to this recipient, or from this sender.": "发给这一收件人，或来自这一发件人的邮件。",
    "From this moment on: 2026-11-23, or 2026-11-23T08:00, in UTC.": (
        "自此时起：2026-11-23 或 2026-11-23T08:00（UTC）。"
    ),
    "How many steps at most.": "最多列出多少个步骤。",
    # ban
    "Bans: who is refused for a time, and why.": "封禁：谁被暂时拒绝，为什么。",
    "List the bans in force.": "列出生效中的封禁。",
    "For people, or as lines for nftables or fail2ban.": "供阅读的表格，或 nftables、fail2ban 可用的行。",
    "Lift the bans of a network, and forget its failures.": "解除一个网络的封禁，并清除其失败记录。",
    "An address in the banned network.": "被封禁网络中的一个地址。",
    # verify, backup, restore
    "Look whether everything that is kept is whole.": "检查全部数据是否完好。",
    "Mend what can be mended.": "修复能够修复的问题。",
    "Do not read the messages, only see that they are there.": "不读取邮件内容，只看是否存在。",
    "Make a backup, while the service goes on.": "在服务运行时进行备份。",
    "The directory of the backup; an earlier one there is brought up to date.": "备份目录；其中已有的备份会被更新。",
    "Make a data directory from a backup.": "用备份创建数据目录。",
    "The directory of the backup.": "备份目录。",
    "The data directory to be made; it is empty or not there.": "要创建的数据目录；须为空或不存在。",
    # move
    "Move everything that is kept to another database, while no server runs.": (
        "把全部数据迁移到另一个数据库；须在服务停止时进行。"
    ),
    "sqlite, or postgresql://USER@HOST/DATABASE; a password may stand in ~/.pgpass or $PGPASSWORD.": (
        "sqlite，或 postgresql://USER@HOST/DATABASE；密码可放在 ~/.pgpass 或 $PGPASSWORD 里。"
    ),
    # import, export
    "Bring mail into an account, from mbox or Maildir.": "从 mbox 或 Maildir 向账户导入邮件。",
    "An mbox file, a Maildir, or a directory of mbox files.": "mbox 文件、Maildir，或存放 mbox 文件的目录。",
    "Bring all of it into this mailbox; else each into its own.": "全部导入这个文件夹；省略时各自导入原文件夹。",
    "Write the mail of an account to mbox or Maildir.": "把账户的邮件导出为 mbox 或 Maildir。",
    "The directory to write to.": "导出到哪个目录。",
    "How it is written.": "导出格式。",
    "This mailbox alone.": "只限这个文件夹。",
    # certificate
    "Certificates: which are shown, when they end, and how to renew them.": "证书：出示哪些、何时到期、如何续期。",
    "List certificates, when they end and are renewed, and what failed.": "列出证书及其到期和续期时间，以及失败原因。",
    "Order certificates from the authority now, and take them into service.": "立即向证书颁发机构申请证书并启用。",
    "Show TLSA records for the keys, the next one's too.": "显示密钥的 TLSA 记录，包括下一个密钥的。",
    "What the certificate is called in the list; without it, all.": "证书在列表中的名称；省略时为全部。",
    # listener
    "Listeners: which end when, and who still uses them.": "监听端口：何时停用，谁还在使用。",
    "Show each listener's stage, and who still comes to those that end, with which program.": (
        "显示各监听端口的阶段，以及谁还在用哪个程序连接即将停用的端口。"
    ),
    "Put the last day of a listener off.": "推迟监听端口的停用日期。",
    "The listener, such as imap or submissions.": "监听端口，例如 imap 或 submissions。",
    "The first day on which nobody is served any more, such as 2027-03-01.": (
        "从哪一天起不再提供服务，例如 2027-03-01。"
    ),
}
