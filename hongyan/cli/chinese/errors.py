"""What went wrong: in a command, in an operation, in a configuration file."""

from __future__ import annotations

__all__ = ["ERRORS"]

ERRORS: dict[str, str] = {
    "Say which messages: a mid, --account, or --to or --from.": "请指明邮件：mid、--account，或 --to、--from。",
    "Say which messages: by their mid, an account or an address.": "请指明邮件：mid、账户或地址。",
    "Only an account has messages of its own.": "只有账户才有自己的邮件。",
    "{text} is no date: the form is 2026-11-23 or 2026-11-23T08:00.": (
        "{text} 不是日期：格式为 2026-11-23 或 2026-11-23T08:00。"
    ),
    # The command itself
    'There is no command "{name}". Did you mean "{near}"?': "没有命令“{name}”。您是指“{near}”吗？",
    'There is no command "{name}". There are: {names}.': "没有命令“{name}”。可用的命令：{names}。",
    'Unknown option: "{name}".': "没有选项“{name}”。",
    "Unknown option: {name}.": "没有选项 {name}。",
    'Unknown option: "{name}". Did you mean "{near}"?': "没有选项“{name}”。您是指“{near}”吗？",
    "Unknown option: {name}. Did you mean {near}?": "没有选项 {name}。您是指 {near} 吗？",
    'Command "{command}" parameter {name} requires an argument.': "命令“{command}”缺少参数 {name}。",
    "Unused Tokens: {tokens}.": "多余的参数：{tokens}。",
    'Invalid value "{value}" for {name}: {reason}': "{name} 的值“{value}”无效：{reason}",
    "--account is ADDRESS=SECRET.": "--account 的写法是 ADDRESS=SECRET。",
    "--accounts needs --secret.": "--accounts 需要 --secret。",
    "--port-base is between 0 and {highest}.": "--port-base 在 0 与 {highest} 之间。",
    "A quota is not negative.": "容量不能为负。",
    "Name app passwords by their numbers, or say --all.": "请用编号指定授权码，或用 --all。",
    "No password came on the standard input.": "标准输入中没有密码。",
    "Say which messages: by their ids, --to or --from; or --all.": (
        "请说明是哪些邮件：用编号、--to 或 --from；或用 --all。"
    ),
    "The data are not made where the backup lies.": "数据目录不能放在备份所在的位置。",
    "The server has hung up. Its log may say why.": "服务器断开了连接，原因可能见日志。",
    "The server failed at this; its log says why.": "服务器执行失败，原因见日志。",
    "The two passwords differ. Nothing was changed.": "两次输入的密码不同。未做任何改动。",
    "There is no configuration: name a file.": "没有配置：请指定一个文件。",
    "There is no configuration: name one with --config, or let `hongyan quickstart you@your.domain` write one.": (
        "没有配置：请用 --config 指定，或用 `hongyan quickstart you@your.domain` 生成一个。"
    ),
    "There is no such setting.": "没有这个设置项。",
    "There is no terminal to ask for a password. Say --password stdin or --password generate.": (
        "没有终端可供询问密码。请用 --password stdin 或 --password generate。"
    ),
    "There is no {path}.": "没有 {path}。",
    "This cannot be undone. Say --yes.": "此操作无法撤销。请加上 --yes。",
    "Which service? Name its configuration with --config, or its data with --data.": (
        "哪个服务？请用 --config 指定其配置，或用 --data 指定其数据。"
    ),
    "{data} belongs to another user. Try it as that user or as root.": (
        "{data} 属于另一用户。请以该用户或 root 身份执行。"
    ),
    "{path} is neither an mbox nor a Maildir.": "{path} 既不是 mbox 也不是 Maildir。",
    "There is no data directory {path}. `hongyan serve` makes it.": "没有数据目录 {path}。`hongyan serve` 会创建它。",
    "A service runs with the data in {path} already: process {process}. Stop that one first.": (
        "已有服务在使用 {path} 中的数据：进程 {process}。请先停掉它。"
    ),
    # Operations
    "There is no operation {name}. Is the server of another version?": "没有操作 {name}。服务器的版本是否不同？",
    "{name} has no parameter {parameter}.": "{name} 没有参数 {parameter}。",
    "{name} needs the parameter {parameter}.": "{name} 需要参数 {parameter}。",
    "The parameter {parameter} of {name} is of another type.": "{name} 的参数 {parameter} 类型不对。",
    "{text} is not one of: {words}.": "{text} 无效，可选值：{words}。",
    # Domains
    "An address is no domain to serve.": "请给出域名，不能是 IP 地址。",
    "Nothing is remembered of that domain.": "没有为该域名记住任何信息。",
    "That domain is not served here.": "本服务器没有该域名。",
    "That domain is served already.": "该域名已经添加。",
    "The domain has accounts or aliases: remove them first.": "该域名还有账户或别名：请先删除。",
    "The domain still has accounts or aliases.": "该域名还有账户或别名。",
    # Accounts
    "There is no such account.": "没有这个账户。",
    "That account is not removed.": "该账户未被删除。",
    "That address is taken.": "该地址已被占用。",
    "The last admin stays one: make another account an admin first.": "不能取消最后一个管理员：请先另设一个管理员。",
    "A new password is needed: give one, or have one made up.": "需要新密码：请给出一个，或自动生成。",
    "A password has at least {number} characters.": "密码至少有 {number} 个字符。",
    "A password has at most {number} octets.": "密码最多有 {number} 个字节。",
    "The password holds a character that no program can send.": "密码中含有客户端无法发送的字符。",
    "The secret holds a character that no program can send.": "密码中含有客户端无法发送的字符。",
    "The secret is empty.": "密码不能为空。",
    "Too many logins at once, try again in a moment.": "同时登录过多，请稍后再试。",
    "The account has as many app passwords as it may have.": "该账户的授权码已达上限。",
    "The account has no app password of that number.": "该账户没有这个编号的授权码。",
    "A label has between 1 and {number} characters, and none that cannot be seen.": (
        "名称须为 1 至 {number} 个字符，且不含不可见字符。"
    ),
    "An app password is for IMAP, POP3, SMTP or several of them.": "授权码用于 IMAP、POP3、SMTP 之一或几个。",
    # Aliases
    "An account has that address.": "该地址属于一个账户。",
    "There is no such alias.": "没有这个别名。",
    "An alias has between 1 and {number} targets.": "别名须有 1 至 {number} 个目标。",
    "A catch-all has one target: an address, which may be an alias of several.": (
        "兜底收件人只能是一个地址；该地址可以是指向多人的别名。"
    ),
    "That identity was not granted.": "没有授予过该发信身份。",
    # Addresses
    "An address needs a local part, an @ and a domain": "地址由用户名、@ 和域名组成",
    "The address is longer than 254 octets": "地址超过 254 个字节",
    "The address literal is not an IPv4 or IPv6 address": "方括号中不是 IPv4 或 IPv6 地址",
    "The address literal is not in its normal form": "方括号中的地址写法不规范",
    "The address literal is not well formed": "方括号中的地址格式有误",
    "The domain ends in a number; an IP address must stand in brackets": "域名以数字结尾；IP 地址须放在方括号中",
    "The domain is longer than 255 octets": "域名超过 255 个字节",
    "The domain is not a valid internationalized name": "域名不是有效的国际化名称",
    "The domain is not a valid name": "域名无效",
    "The local part holds a character or a dot that must be quoted": "用户名中有须加引号的字符或点",
    "The local part holds a character that no address may hold": "用户名中有地址不允许的字符",
    "The local part is an ASCII name in disguise": "用户名是伪装的 ASCII 名称",
    "The local part is empty": "用户名为空",
    "The local part is longer than {number} octets": "用户名超过 {number} 个字节",
    "The quoted local part is not well formed": "加引号的用户名格式有误",
    # Queue and bans
    "There is no such message in the queue.": "队列中没有这封邮件。",
    "There is no such message that waits for its release.": "没有这封定时发送的邮件，或已到发送时间。",
    "future_release is at most 366 days": "future_release 最多为 366 天",
    "That address is not banned.": "该地址没有被封禁。",
    "A ban is lifted by an IP address.": "解除封禁须给出 IP 地址。",
    # Mail
    "There is no such mailbox.": "没有这个文件夹。",
    "A mailbox of that name exists already.": "同名文件夹已存在。",
    "A mailbox below the new name exists already.": "新名称之下已有文件夹。",
    "A mailbox cannot be moved below itself.": "文件夹不能移到自身之下。",
    "INBOX cannot be deleted.": "收件箱不能删除。",
    "That special use cannot be given to this mailbox.": "该文件夹不能设为这种用途。",
    "The account has as many mailboxes as it may have.": "该账户的文件夹已达上限。",
    "A message has at most {number} octets.": "邮件最多有 {number} 个字节。",
    "A message has octets in base64, and a date as ISO 8601 writes it.": (
        "邮件内容须为 base64，日期须为 ISO 8601 格式。"
    ),
    "{name} is no keyword.": "{name} 不是关键字。",
    # What is kept
    "A backup does not lie within the data that it is of.": "备份不能放在数据目录之内。",
    "The directory of a backup is named by its whole path.": "备份目录须用完整路径。",
    "The database is PostgreSQL: back it up by its own means, and the data directory as files.": (
        "数据库是 PostgreSQL：请用其自身的方式备份，数据目录则按文件备份。"
    ),
    "{path} holds something that is no backup.": "{path} 中有不属于备份的内容。",
    "{path} is a backup of format {format}; this Hongyan reads {known}.": (
        "{path} 是格式 {format} 的备份；本版本读取 {known}。"
    ),
    "{path} is no backup, or one that was not finished.": "{path} 不是备份，或是未完成的备份。",
    "{path} is missing: that is no whole backup.": "缺少 {path}：备份不完整。",
    "{path} is not empty.": "{path} 不是空的。",
    "The database of the backup is damaged: {detail}": "备份中的数据库已损坏：{detail}",
    "The data directory {path} is in use by process {process}.": "数据目录 {path} 正由进程 {process} 使用。",
    "The data directory {path} holds a database and not its messages. Is a part of it not mounted, or not restored?": (
        "数据目录 {path} 有数据库但没有邮件。是否有一部分没有挂载，或没有恢复？"
    ),
    # A move
    "--to is sqlite, or begins with postgresql://.": "--to 应为 sqlite，或以 postgresql:// 开头。",
    "The configuration says that everything is there already.": "按配置文件，数据已在该数据库中。",
    "The database cannot be reached: {cause}": "无法连接数据库：{cause}",
    "A move into this database was broken off. Let `hongyan move` do it again.": (
        "向这个数据库的迁移中途停止了。请重新执行 `hongyan move`。"
    ),
    "The data were moved to another database: say so in [database].": (
        "数据已迁移到另一个数据库：请在 [database] 中改为新的数据库。"
    ),
    "The data are not in the database that the configuration names.": "数据不在配置文件所指的数据库里。",
    "The two databases have different schemas: bring both up to date first.": (
        "两个数据库的结构版本不同：请先都升级到最新。"
    ),
    "The database that is to be filled holds mail already.": "要写入的数据库里已经有邮件。",
    # Files and keys
    "{path} is there already. Take it away, or name another folder with --folder.": (
        "{path} 已经存在。请移走它，或用 --folder 指定别的目录。"
    ),
    "{path} cannot be read: {reason}.": "无法读取 {path}：{reason}。",
    "{path} cannot be read.": "无法读取 {path}。",
    "{path} is too large to be a configuration.": "{path} 过大，不是配置文件。",
    "The server key {path} cannot be read: {reason}.": "无法读取服务器密钥 {path}：{reason}。",
    "The server key {path} may be read by others: chmod 600 {same}.": (
        "服务器密钥 {path} 可被他人读取：chmod 600 {same}。"
    ),
    "{path} is no server key: restore it from a backup.": "{path} 不是服务器密钥：请从备份恢复。",
    "The relay's secret is to stand in {path}: {reason}.": "中继的密码应写在 {path}：{reason}。",
    "There is a DKIM key {selector} for {domain} already": "{domain} 已有 DKIM 密钥 {selector}",
    "{path}: {reason}; make the key anew or restore the file": "{path}：{reason}；请重新生成密钥或恢复文件",
    "{path}: not an unencrypted private key in PEM form": "{path}：不是未加密的 PEM 私钥",
    "{path}: other users can read this private key; run chmod 600 on it": (
        "{path}：其他用户可以读取这个私钥；请执行 chmod 600"
    ),
    "{path}: DKIM signs with RSA and Ed25519 keys only": "{path}：DKIM 只用 RSA 和 Ed25519 密钥签名",
    "{path}: an RSA key below {bits} bits passes nowhere": "{path}：不足 {bits} 位的 RSA 密钥无人接受",
    "{domain} is an address, and DKIM signs for names": "{domain} 是地址，而 DKIM 为域名签名",
    "{selector} is not a selector: letters, digits, hyphens and dots": (
        "{selector} 不是选择器：须由字母、数字、连字符和点组成"
    ),
    "no certificate is configured: name one in [[certificates]]": "没有配置证书：请写在 [[certificates]] 中",
    "certificate {chain} with key {key}: {reason}": "证书 {chain} 及密钥 {key}：{reason}",
    "certificate: {path}: {reason}": "证书：{path}：{reason}",
    "certificate {chain}: {reason}": "证书 {chain}：{reason}",
    # Ports and users
    "{service} cannot listen on {endpoint}: another program does. `ss -ltnp 'sport = :{port}'` names it: stop it, or"
    " set listen.{same}.port.": (
        "{service} 无法监听 {endpoint}：已被别的程序占用。`ss -ltnp 'sport = :{port}'` 会显示是哪个程序："
        "请停掉它，或设置 listen.{same}.port。"
    ),
    "{service} cannot listen on {endpoint}: low ports are for root. Start as root and set server.user, or have systemd"
    " hand over the sockets.": (
        "{service} 无法监听 {endpoint}：低端口须由 root 打开。请以 root 启动并设置 server.user，"
        "或由 systemd 传入套接字。"
    ),
    "{service} cannot listen on {endpoint}: this machine does not have that address. Set listen.{same}.hosts.": (
        "{service} 无法监听 {endpoint}：本机没有这个地址。请设置 listen.{same}.hosts。"
    ),
    "{service} cannot listen on {endpoint}: {reason}.": "{service} 无法监听 {endpoint}：{reason}。",
    "root was dropped and could be had back; not going on": "放弃 root 权限后仍能恢复，已中止",
    "the user to run as, {user}, is root itself": "运行身份 {user} 就是 root",
    "there is no user {user} or no group {group} to run as": "没有用户 {user} 或没有组 {group}",
    # A configuration file
    "{file}:{line}: {sentence}": "{file}:{line}：{sentence}",
    "This is not UTF-8. Save the file as UTF-8.": "不是 UTF-8。请把文件存为 UTF-8。",
    "This is not TOML: {reason}.": "不是 TOML：{reason}。",
    'There is no setting "{name}". Did you mean "{near}"?': "没有设置项“{name}”。您是指“{near}”吗？",
    'There is no setting "{name}". It stands in another section: "{path}".': (
        "没有设置项“{name}”。它属于另一节：“{path}”。"
    ),
    'There is no setting "{name}". Here may stand: {names}.': "没有设置项“{name}”。这里可以有：{names}。",
    "{name} is {kind}, and not {given}.": "{name} 应为{kind}，而不是{given}。",
    'the text "{text}"': "文本“{text}”",
    "the number {number}": "数字 {number}",
    "the date {date}": "日期 {date}",
    "true": "true",
    "false": "false",
    "a list": "列表",
    "{service} begins with TLS and there is no certificate. Add [[certificates]].": (
        "{service} 一开始就使用 TLS，但没有证书。请添加 [[certificates]]。"
    ),
    "Nobody can log in to {service}: logins are taken under TLS only, and there is no certificate."
    " Add [[certificates]].": "没有人能登录 {service}：只接受 TLS 下的登录，但没有证书。请添加 [[certificates]]。",
    "{one} and {other} both listen on port {port}. Give one another port.": (
        "{one} 和 {other} 都监听端口 {port}。请给其中一个换端口。"
    ),
    "Nothing is listened for. Add [listen.smtp] and [listen.imaps].": (
        "没有监听任何端口。请添加 [listen.smtp] 和 [listen.imaps]。"
    ),
    "{path}: Nothing is listened for. Add [listen.smtp] and [listen.imaps].": (
        "{path}：没有监听任何端口。请添加 [listen.smtp] 和 [listen.imaps]。"
    ),
    'Other servers do not find the name "{name}". Set server.hostname to the name in DNS.': (
        "其他服务器找不到名称“{name}”。请把 server.hostname 设为 DNS 中的名称。"
    ),
    "No mail comes in from other servers. Add [listen.smtp].": "收不到其他服务器的来信。请添加 [listen.smtp]。",
    "{service} takes TLS 1.0 and 1.1, which RFC 8996 forbids: whoever listens may read along."
    " Give old devices a listener of their own, on addresses that nobody else reaches.": (
        "{service} 接受 RFC 8996 已禁止的 TLS 1.0 和 1.1：通信可能被窃听。请把旧设备放到单独的、别人访问不到的地址上。"
    ),
    "On port 25 TLS 1.3 cannot be asked for: servers that lack it would send in the clear (RFC 7435). Let"
    " MTA-STS and DANE ask for TLS, and leave listen.smtp.tls out.": (
        "端口 25 不能强制 TLS 1.3：不支持它的服务器会改用明文发送（RFC 7435）。请由 MTA-STS 和 DANE 来要求 TLS，并去掉"
        " listen.smtp.tls。"
    ),
    "Failed logins are not limited. That is for load tests only.": "没有限制登录失败。这只适合压力测试。",
    "{section}: {reason}.": "{section}：{reason}。",
    "data names a directory, and drain is not negative": "data 是一个目录，drain 不能为负",
    "dsn is for the engine postgres, and postgres needs it": "dsn 用于 postgres 引擎，且 postgres 必须有它",
    "connections is at least 1": "connections 至少为 1",
    "a listener has hosts, and a port below 65536": "监听须有 hosts，且端口小于 65536",
    "a certificate needs both: chain and key": "证书须同时有 chain 和 key",
    "a password needs a pass, 8 KiB, a place to wait and a character, at least": (
        "密码至少需要一遍、8 KiB、一个等待位置和一个字符"
    ),
    "a quota is not negative": "容量不能为负",
    "limits of failed logins are at least one": "登录失败的上限至少为一",
    "stranger_delay is between 0 and 30 seconds": "stranger_delay 在 0 与 30 秒之间",
    "per_account is between 1 and 500: each login tries all of them": (
        "per_account 在 1 与 500 之间：每次登录都要逐一尝试"
    ),
    "time-out, rounds and concurrency are positive": "超时、轮数和并发数须为正",
    "limits of the queue are 1 or more": "队列的各项上限至少为 1",
    "rewriting needs a secret": "改写发件人需要密钥",
    "That address is not suppressed.": "该地址没有被暂停发送。",
    "bounces are not negative, and what is counted in days is one day or longer": (
        "退信次数不能为负，以天计的设置至少为一天"
    ),
    "a pool has one name, or as many names as addresses": "地址池有一个名称，或与地址数相同的名称",
    "back_off is one minute or longer": "back_off 至少为一分钟",
    "what is set for a destination is not negative, and its pauses are one minute or longer": (
        "目的地的设置不能为负，重试间隔至少为一分钟"
    ),
    "readers: from 1 to 64": "readers：1 至 64",
    "reserve: not below 0": "reserve：不小于 0",
    "compress_from: from 0 to 1024 KiB": "compress_from：0 至 1024 KiB",
    "segment_size: from 1 to 2048 MiB": "segment_size：1 至 2048 MiB",
    "sync_within: from 0.01 to 60 seconds": "sync_within：0.01 至 60 秒",
    "{text} has no valid port": "{text} 的端口无效",
    "{text} is not HOST:PORT": "{text} 不是 HOST:PORT",
    "{text} is not the address of a DNS server, as in 192.0.2.1:53": "{text} 不是 DNS 服务器的地址，例如 192.0.2.1:53",
    "Proof by DNS (dns-01) needs a key that may change the zone. Add [[dns_update]], or set acme.challenge to"
    ' "http-01".': (
        '通过 DNS 验证（dns-01）需要可更改区域的密钥。请添加 [[dns_update]]，或将 acme.challenge 设为 "http-01"。'
    ),
    "The authority asks on port 80 (http-01), and nobody listens there. Add [listen.http], or set acme.challenge to"
    ' "dns-01".': (
        "证书颁发机构会访问端口 80（http-01），但没有服务在监听。请添加 [listen.http]，"
        '或将 acme.challenge 设为 "dns-01"。'
    ),
    "Certificates are ordered by a running server: start it first.": "证书由运行中的服务器申请：请先启动服务器。",
    "There is no such certificate.": "没有这个证书。",
    "No authority is configured: see [acme].": "没有配置证书颁发机构：见 [acme]。",
    "There is no such listener.": "没有这个监听端口。",
    "A day is written as 2027-03-01.": "日期写作 2027-03-01。",
    "That day is over.": "该日期已过。",
    "deprecated comes before off": "deprecated 须早于 off",
}
