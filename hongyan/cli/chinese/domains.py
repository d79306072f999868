"""What is said of domains: findings about their DNS, whether they are ready to send, and their keys."""

from __future__ import annotations

__all__ = ["DOMAINS"]

DOMAINS: dict[str, str] = {
    # Help
    "List the domains that are served, and whether each is ready to send.": "列出本服务器的域名，以及各自能否发信。",
    "Print them as a zone file has them.": "按区域文件的格式输出。",
    "Print the DNS records that a domain should have, each with the reason why.": (
        "输出域名应有的 DNS 记录及各自的理由。"
    ),
    "Compare the DNS of a domain with what it should be, and say what to mend and whether it is ready to send.": (
        "检查域名的 DNS 记录是否正确，指出需要修改之处以及能否发信。"
    ),
    "One of spf, dkim, dmarc, mx and ptr.": "spf、dkim、dmarc、mx、ptr 之一。",
    "Why: it is kept and shown.": "理由（会保存并显示）。",
    "Let a domain count as ready to send without one of the things that should be right.": (
        "某一项虽不正确，仍让该域名算作可以发信。"
    ),
    "Take back what was waived.": "取消豁免。",
    "List the DKIM keys of a domain: which sign, which wait for their record, which have gone.": (
        "列出域名的 DKIM 密钥：哪些在签名，哪些在等待记录发布，哪些已停用。"
    ),
    "Make new DKIM keys now; they take over once every name server of the zone shows their records.": (
        "现在就生成新的 DKIM 密钥；待该区域所有域名服务器都能查到其记录后启用。"
    ),
    "Write the records that a domain wants into its zone, where the configuration allows it.": (
        "把域名所需的记录写入其所在区域（须配置允许）。"
    ),
    # Answers
    "This would be done. Nothing was changed.": "将执行以上操作；目前没有任何改动。",
    "A foreign record stands in the way of {name} {type}: {found}. Remove it, or merge the two.": (
        "{name} {type} 处已有其他记录：{found}。请删除它，或把两者合并。"
    ),
    "There is nothing to do.": "没有需要处理的。",
    "Nobody allows us to change that zone. Name it in [[dns_update]] or [[dns_provider]].": (
        "未获授权修改该区域。请在 [[dns_update]] 或 [[dns_provider]] 中写明。"
    ),
    "ready to send": "能否发信",
    "not looked at yet": "尚未检查",
    "no: {missing}": "否：{missing}",
    "Records that are not as wanted:": "与所需不符的记录：",
    "our resolver": "本机解析器",
    "no answer": "没有应答",
    "asked": "询问对象",
    "addresses": "地址",
    "seconds": "秒",
    "selector": "选择器",
    "{domain} is ready to send.": "{domain} 可以发信。",
    "{domain} is not ready to send: {missing} must be mended first.": "{domain} 尚不能发信：须先改正 {missing}。",
    "{aspect} was waived by {actor}: {reason}": "{aspect} 已由 {actor} 豁免：{reason}",
    "The domain has no DKIM key.": "该域名没有 DKIM 密钥。",
    "There are keys that wait for their records already.": "已有密钥在等待记录发布。",
    "These records are wanted now:": "现在需要这些记录：",
    "pending": "待发布",
    "retiring": "即将停用",
    "retired": "已停用",
    "Only these can be waived: {aspects}.": "只有这些可以豁免：{aspects}。",
    "Say why: the reason is kept and shown.": "请说明理由（会保存并显示）。",
    "That was not waived.": "这一项并未豁免。",
    # What records are for
    "DKIM: the next key. It signs once all name servers show it.": (
        "DKIM：下一把密钥。所有域名服务器都能查到后开始签名。"
    ),
    "DKIM: the former key. Mail that is on its way is still checked by it.": "DKIM：前一把密钥。在途邮件仍用它验证。",
    "Mail programs look here for their settings.": "邮件客户端在此取得设置。",
    "DANE: the key of the next certificate, so that nobody is turned away when it comes.": (
        "DANE：下一张证书的公钥，以免换证书时有人被拒之门外。"
    ),
    # The host
    "The addresses of {name} could not be looked up.": "查不到 {name} 的地址。",
    "Try again later. See that the name servers can be reached.": "请稍后再试，并确认能连到域名服务器。",
    "Add A and AAAA records for it.": "请为它添加 A 和 AAAA 记录。",
    "{name} has the address {address}, which the world cannot reach.": "{name} 的地址 {address} 从公网无法访问。",
    "Give it the public address, and only that.": "请只给它公网地址。",
    "{name} has addresses.": "{name} 有地址。",
    "It is not known which addresses mail leaves from.": "不知道邮件从哪些地址发出。",
    "Add A and AAAA records of the host.": "请添加主机的 A 和 AAAA 记录。",
    "The reverse DNS of {address} could not be looked up.": "查不到 {address} 的反向解析。",
    "The reverse DNS of {address} says {name}, HELO {host}.": "{address} 的反向解析 是 {name}，而 HELO 是 {host}。",
    "{address} is called {name}, which does not lead back to it.": "{address} 名为 {name}，但该名称没有解析回该地址。",
    "Add an address record of {name} with {address}.": "请为 {name} 添加地址 {address}。",
    "The reverse DNS of {address} gives {count} names.": "{address} 的反向解析 有 {count} 个名称。",
    "Leave one.": "请只留一个。",
    "{address} is called {name}, and that leads back.": "{address} 名为 {name}，且正反向解析一致。",
    "{address} is listed by {list}.": "{address} 在黑名单 {list} 中。",
    "Find out what was sent, end it, and then ask the list to take the address out.": (
        "请查明发出了什么邮件并加以制止，然后向该黑名单申请移除此地址。"
    ),
    # MX
    "The MX records of {domain} could not be looked up.": "查不到 {domain} 的 MX 记录。",
    "{domain} has no MX record.": "{domain} 没有 MX 记录。",
    "Add the record that `hongyan domain dns` prints.": "请添加 `hongyan domain dns` 输出的记录。",
    "{domain} says by a null MX that it takes no mail.": "{domain} 用空 MX 表示不收邮件。",
    "The mail exchanger {name} is an alias (CNAME).": "MX 主机 {name} 是别名（CNAME）。",
    "Name the host itself in the MX record.": "请在 MX 记录中写主机本名。",
    "The mail exchanger {name} has no address.": "MX 主机 {name} 没有地址。",
    "Add one, or take it out of the records.": "请添加地址，或从记录中去掉它。",
    "Mail for {domain} goes to another host: {name}.": "{domain} 的邮件发往别的主机：{name}。",
    "Another host comes before {name} in the MX records.": "MX 记录中有别的主机排在 {name} 之前。",
    "Give this one the lowest number.": "请把本机的优先级数值设为最小。",
    "Mail for {domain} is led here.": "{domain} 的邮件会送到这里。",
    # SPF, DKIM, DMARC
    "The SPF record of {domain} could not be looked up.": "查不到 {domain} 的 SPF 记录。",
    "{domain} has no SPF record.": "{domain} 没有 SPF 记录。",
    "{domain} has {count} SPF records, and none counts.": "{domain} 有 {count} 条 SPF 记录，因而都不算数。",
    "Join them to one.": "请合并为一条。",
    "The SPF record of {domain} allows our addresses.": "{domain} 的 SPF 记录已包含我们的地址。",
    "The SPF record allows everybody.": "SPF 记录允许所有人。",
    "The SPF record forbids nobody.": "SPF 记录没有约束力。",
    "Let it end with -all or ~all.": "请以 -all 或 ~all 结尾。",
    "The SPF record takes {count} of {most} look-ups.": "SPF 记录需要 {count} 次查询（上限 {most} 次）。",
    "Leave out what is no longer used: beyond ten the record is void.": "请去掉不再使用的项：超过十次，记录即无效。",
    "The SPF record could not be followed: {reason}.": "SPF 记录无法继续查询：{reason}。",
    "The SPF record is void: {reason}.": "SPF 记录无效：{reason}。",
    "Mend it; at most ten of its terms may ask the DNS.": "请改正；最多只能有十项需要查询 DNS。",
    "The SPF record does not allow {address}, from which mail leaves.": "SPF 记录没有包含发信 IP 地址 {address}。",
    "Add {term} to it, or mx.": "请加上 {term}，或 mx。",
    "No DKIM key signs for {domain}.": "没有 DKIM 密钥为 {domain} 签名。",
    "Make one: `hongyan domain rotate` does so.": "请生成一把：`hongyan domain rotate`。",
    "The DKIM record {name} could not be looked up.": "查不到 DKIM 记录 {name}。",
    "The DKIM key {name} is revoked.": "DKIM 密钥 {name} 已被吊销。",
    "Replace the record by the one wanted.": "请换成所需的记录。",
    "The DKIM record {name} is of no use: {reason}.": "DKIM 记录 {name} 无效：{reason}。",
    "The DKIM record {name} is missing.": "缺少 DKIM 记录 {name}。",
    "The DKIM record {name} holds another key.": "DKIM 记录 {name} 是另一把公钥。",
    "The DKIM key {name} has only {bits} bits.": "DKIM 密钥 {name} 只有 {bits} 位。",
    "Rotate it: `hongyan domain rotate`.": "请轮换：`hongyan domain rotate`。",
    "The DKIM record {name} says that it is a test.": "DKIM 记录 {name} 标明只是测试。",
    "Take t=y out of it.": "请去掉其中的 t=y。",
    "The DKIM key {name} is published.": "DKIM 密钥 {name} 已发布。",
    "The next DKIM key {name} is not published yet.": "下一把 DKIM 密钥 {name} 尚未发布。",
    "The DMARC record of {domain} could not be looked up.": "查不到 {domain} 的 DMARC 记录。",
    "{domain} has no DMARC record.": "{domain} 没有 DMARC 记录。",
    "{domain} has {count} DMARC records, and none counts.": "{domain} 有 {count} 条 DMARC 记录，因而都不算数。",
    "The DMARC record of {domain} has no policy that can be read.": "{domain} 的 DMARC 记录中没有可读的策略。",
    "Nobody is sent DMARC reports.": "DMARC 报告没有收件地址。",
    "Add rua=mailto: with an address of yours.": "请加上 rua=mailto: 和您的地址。",
    "The DMARC policy of {domain} forbids nothing.": "{domain} 的 DMARC 策略没有约束力（p=none）。",
    "Make it p=quarantine, and p=reject when all goes well.": "请改为 p=quarantine，一切正常后改为 p=reject。",
    "The DMARC policy of {domain} is {policy}.": "{domain} 的 DMARC 策略是 {policy}。",
    # Transport
    "No MTA-STS policy is served.": "没有提供 MTA-STS 策略。",
    "Set web.mta_sts to testing, and to enforce when all goes well.": (
        "请把 web.mta_sts 设为 testing，一切正常后设为 enforce。"
    ),
    "The MTA-STS record of {domain} is {status}.": "{domain} 的 MTA-STS 记录：{status}。",
    "missing": "缺少",
    "different": "不同",
    "unknown": "未知",
    "The MTA-STS policy of {domain} was not fetched.": "未获取 {domain} 的 MTA-STS 策略。",
    "The MTA-STS policy of {domain} cannot be fetched: {fault}.": "无法获取 {domain} 的 MTA-STS 策略：{fault}。",
    "See that {name} leads here, and that the certificate is for that name too.": (
        "请确认 {name} 指向这里，且证书也包含该名称。"
    ),
    "The MTA-STS policy of {domain} leaves out the mail exchanger {name}.": (
        "{domain} 的 MTA-STS 策略漏了 MX 主机 {name}。"
    ),
    "Take it out of the MX records, or name it in the policy: mail to it is refused.": (
        "请从 MX 记录中去掉它，或写入策略：否则发往它的邮件会被拒绝。"
    ),
    "The MTA-STS policy of {domain} is there for others.": "外界可以获取 {domain} 的 MTA-STS 策略。",
    "The TLSA records of {name} could not be looked up.": "查不到 {name} 的 TLSA 记录。",
    "{name} has no TLSA record.": "{name} 没有 TLSA 记录。",
    "Add one where DNSSEC signs the zone: DANE needs both.": "若该区域有 DNSSEC 签名，请添加：DANE 两者缺一不可。",
    "No TLSA record of {name} fits its certificate: who obeys DANE sends no mail.": (
        "{name} 的 TLSA 记录都与证书不符：遵守 DANE 的一方不会投递。"
    ),
    "Replace them by those that `hongyan domain dns` prints.": "请换成 `hongyan domain dns` 输出的记录。",
    "The TLSA records are not signed, so nobody obeys them.": "TLSA 记录没有签名，因而没有人遵守。",
    "Have the zone signed.": "请为该区域签名。",
    "The TLSA records fit the certificate.": "TLSA 记录与证书相符。",
    "The CAA records of {name} could not be looked up.": "查不到 {name} 的 CAA 记录。",
    "Any authority may issue certificates for {name}.": "任何证书颁发机构都可以为 {name} 签发证书。",
    "Add a CAA record.": "请添加 CAA 记录。",
    "The CAA records of {name} allow none of our authorities: the certificate cannot be renewed.": (
        "{name} 的 CAA 记录不包含我们的证书颁发机构：证书无法续期。"
    ),
    "Add 0 issue {authority}, or set domains.authorities.": "请添加 0 issue {authority}，或设置 domains.authorities。",
    "The CAA records of {name} allow our authority.": "{name} 的 CAA 记录包含我们的证书颁发机构。",
    # The DNS itself
    "DNSSEC signs {domain}.": "{domain} 有 DNSSEC 签名。",
    "DNSSEC does not vouch for {domain}, or our resolver does not check it.": (
        "{domain} 没有 DNSSEC 保护，或我们的解析器不验证。"
    ),
    "Have the zone signed, and ask a resolver on this machine that validates.": (
        "请为该区域签名，并使用本机上会验证的解析器。"
    ),
    "{name} is something else at {sources}.": "{name} 在 {sources} 上是另一个值。",
    "Wait until what they remember has ended; see that all name servers have the newest zone.": (
        "请等缓存过期；并确认所有域名服务器都有最新的区域数据。"
    ),
    "{name} is remembered for only {ttl} seconds.": "{name} 只缓存 {ttl} 秒。",
    "{name} is remembered for {ttl} seconds.": "{name} 会缓存 {ttl} 秒。",
    "An hour is a good TTL.": "TTL 以一小时为宜。",
    # The server as others meet it
    "The server as others meet it.": "从外部看到的服务器。",
    "Connect to each port of the running server at its public addresses, and out to others, and say what is amiss.": (
        "从公网地址连接运行中服务器的各个端口，并向外连接，指出问题所在。"
    ),
    "{hostname} is {addresses}.": "{hostname} 是 {addresses}。",
    "Mail leaves by a relay, or not at all: port 25 of others was not tried.": (
        "邮件经中继发出，或不发出：未测试外发 25 端口。"
    ),
    "Many cloud providers block port 25 on the way out: have it opened, or set route.smart_host.": (
        "许多云服务商封锁外发 25 端口：请申请开放，或把 route.smart_host 设为一个中继。"
    ),
    "{service} at {address} port {port} does not begin TLS when it is asked to.": (
        "{service}（{address} 端口 {port}）不支持 STARTTLS。"
    ),
    "See whether a certificate is configured, and whether a firewall takes STARTTLS out of what is said.": (
        "请检查是否配置了证书，以及防火墙是否过滤了 STARTTLS。"
    ),
    "Servers that keep to an MTA-STS policy do not deliver to it: see `hongyan certificate list`.": (
        "遵循 MTA-STS 策略的服务器不会向其投递：请运行 `hongyan certificate list` 查看。"
    ),
    "{service} at {address} port {port} does not answer.": "{service}（{address} 端口 {port}）没有应答。",
    "{service} at {address} port {port} is refused.": "{service}（{address} 端口 {port}）拒绝连接。",
    "{service} at {address} port {port} cannot be reached from here.": (
        "{service}（{address} 端口 {port}）从本机无法到达。"
    ),
    "{service} at {address} port {port} answers.": "{service}（{address} 端口 {port}）正常。",
    "{service} at {address} port {port} answers, but not as it should.": (
        "{service}（{address} 端口 {port}）有应答，但内容不正确。"
    ),
    "{service} at {address} port {port} has no certificate that is valid for {name}: {fault}.": (
        "{service}（{address} 端口 {port}）没有对 {name} 有效的证书：{fault}。"
    ),
    "Nothing listens there, or a firewall refuses: see [listen], and `ss -ltn` on the machine.": (
        "该端口没有程序监听，或防火墙拒绝：请看 [listen]，并在本机运行 `ss -ltn`。"
    ),
    "See the machine's addresses and routes of that kind.": "请检查本机该类地址和路由。",
    "Open the port in the provider's security group and in the firewall. Until then mail programs can use"
    " submission on port 587 with STARTTLS.": (
        "请在服务商的安全组和防火墙中开放该端口。在此之前，邮件客户端可改用 587 端口加 STARTTLS。"
    ),
    "Open the port in the provider's security group and in the firewall; some open 25 only when asked.": (
        "请在服务商的安全组和防火墙中开放该端口；有些服务商的 25 端口须申请才开放。"
    ),
    "Open the port in the provider's security group and in the firewall. Behind a router that does not lead back"
    " others may get in all the same: try from elsewhere.": (
        "请在服务商的安全组和防火墙中开放该端口。若路由器不支持回环，他人仍可能连得上：请从别处试。"
    ),
    "See `hongyan certificate list`, and name the host in the certificate.": (
        "请运行 `hongyan certificate list` 查看，并把主机名写进证书。"
    ),
    "Another program or a provider's proxy answers there: see who listens, and what stands before the server.": (
        "应答的是别的程序或服务商的代理：请查看谁在监听，以及服务器前面有什么。"
    ),
    "The resolver {address} is a public one: Spamhaus and other blocklists refuse to answer it.": (
        "解析器 {address} 是公共解析器：Spamhaus 等黑名单拒绝为其提供查询。"
    ),
    "Ask a resolver on this machine, such as unbound.": "请使用本机上的解析器，例如 unbound。",
    "No public resolver is asked.": "没有使用公共解析器。",
    # Settings
    "Write the records that a domain wants into the zones that [[dns_update]] and [[dns_provider]] name.": (
        "把域名所需的记录写入 [[dns_update]] 和 [[dns_provider]] 所指的区域。"
    ),
    "Providers at which zones are changed.": "在哪些服务商处修改区域。",
    "Whose interface it is: cloudflare, aliyun or dnspod.": "用谁的接口：cloudflare、aliyun 或 dnspod。",
    "Zones that are changed there.": "在那里修改的区域。",
    "File with the API token of Cloudflare, or with id and secret of the others, readable by Hongyan alone.": (
        "存放 Cloudflare 的 API 令牌，或其他服务商的 id 与密钥的文件，仅鸿雁可读。"
    ),
    "URL of the interface; empty: the vendor's own.": "接口的 URL；空：服务商自己的。",
    # Providers
    "a provider that changes zones needs a secret_file": "更改区域的服务商需要 secret_file",
    "an endpoint begins with https://": "endpoint 以 https:// 开头",
    "no provider takes a ttl below a minute": "没有服务商接受一分钟以下的 ttl",
    "{path} cannot be read.": "无法读取 {path}。",
    "The DNS provider gives no answer that can be read: {fault}.": "DNS 服务商的应答无法识别：{fault}。",
    "The DNS provider gives no answer that can be read.": "DNS 服务商的应答无法识别。",
    "Cloudflare has no zone {zone} for this token.": "此令牌在 Cloudflare 上没有区域 {zone}。",
    "Cloudflare refuses the change: {reason}.": "Cloudflare 拒绝修改：{reason}。",
    "Aliyun refuses the change: {reason}.": "阿里云拒绝修改：{reason}。",
    "DNSPod refuses the change: {reason}.": "DNSPod 拒绝修改：{reason}。",
    "How the DNS of our domains is watched, and when keys change.": "如何监测本服务器域名的 DNS，以及密钥何时更换。",
    "Take mail for other servers from a domain's users only once its SPF, DKIM, DMARC, MX and PTR are right or"
    " waived; until then they are told to try later.": (
        "域名的 SPF、DKIM、DMARC、MX 和 PTR 都正确或已豁免之后，才接受其用户外发的邮件；此前请他们稍后再试。"
    ),
    "How often the DNS of each domain is looked at; 0: only when asked.": "多久检查一次各域名的 DNS；0：仅手动检查。",
    "Public resolvers that `hongyan domain check` compares with our own, as in 9.9.9.9 or [2620:fe::fe]:53.": (
        "`hongyan domain check` 用来与本机解析器对比的公共解析器，例如 9.9.9.9 或 [2620:fe::fe]:53。"
    ),
    "Authorities that may issue certificates for the host, as CAA names them.": (
        "可以为主机签发证书的颁发机构，按 CAA 的写法。"
    ),
    "Addresses that mail leaves from, where they are not those of the host's name.": (
        "发信所用的 IP 地址（与主机名的地址不同时填写）。"
    ),
    "After how long a DKIM key is followed by a new one; 0: never.": "DKIM 密钥用多久后换新；0：从不。",
    "How long the record of a former DKIM key stays, for mail that is on its way.": (
        "前一把 DKIM 密钥的记录为在途邮件保留多久。"
    ),
    "Ask the DNS. Without it every question fails at once, for a server that is cut off from the world.": (
        "查询 DNS。关闭后每次查询立即失败，用于与外界隔绝的服务器。"
    ),
    "How long an answer may still be used after its time when nobody answers (RFC 8767); 0: never.": (
        "无人回答时，过期的答案还可以用多久（RFC 8767）；0：从不。"
    ),
    # Faults
    "stale is not negative": "stale 不能为负",
    "check_every and dkim_rotate are not negative": "check_every 和 dkim_rotate 不能为负",
    "require_ready needs check_every: a domain becomes ready by being looked at": (
        "require_ready 需要 check_every：域名要被检查过才算就绪"
    ),
    "dkim_retire is 5 days at least: mail may wait so long on its way (RFC 5321 §4.5.4.1)": (
        "dkim_retire 至少 5 天：邮件在途可能这么久（RFC 5321 §4.5.4.1）"
    ),
    "an authority is a name in lower case, as in letsencrypt.org (RFC 8659 §4.2)": (
        "机构名用小写，例如 letsencrypt.org（RFC 8659 §4.2）"
    ),
    "{domain} has had {count} DKIM keys this month; make no more": "{domain} 本月已有 {count} 把 DKIM 密钥；请勿再生成",
    "kind": "种类",
    "since": "自",
    "type": "类型",
}
