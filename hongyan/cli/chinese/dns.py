"""What is said of DNS records, and of a machine that is to become a mail host."""

from __future__ import annotations

__all__ = ["DNS"]

DNS: dict[str, str] = {
    # What records are for
    "Where the host is.": "主机所在。",
    "What the host is called: set by whoever gave you the address.": "主机的名称：由分配地址给您的一方设置。",
    "Which host takes mail for the domain.": "哪台主机接收该域名的邮件。",
    "SPF: mail of the domain comes from its mail host alone.": "SPF：该域名的邮件只来自其邮件主机。",
    "SPF for the host's own name, which notifications are checked by.": "主机自身名称的 SPF，退信通知据此检查。",
    "DKIM: the key that signatures are checked with.": "DKIM：用于验证签名的公钥。",
    "DMARC: what becomes of mail that only pretends to be the domain's. Make it p=reject when all goes well.": (
        "DMARC：如何处理冒充该域名的邮件。一切正常后改为 p=reject。"
    ),
    "TLS reports: others tell you when they could not deliver by TLS (RFC 8460).": (
        "TLS 报告：他人无法以 TLS 投递时会告知您（RFC 8460）。"
    ),
    "MTA-STS: where the policy is fetched from. The certificate has to be for this name too.": (
        "MTA-STS：从哪里取得策略。证书也须包含该名称。"
    ),
    "MTA-STS: the domain has a policy, and which one.": "MTA-STS：该域名有策略，以及是哪一个。",
    "It names another policy. Replace the record.": "它指的是另一个策略。请替换该记录。",
    "Mail programs find the service.": "邮件客户端据此找到该服务。",
    "Mail programs look no further for this service.": "邮件客户端据此不再寻找该服务。",
    "Which authority may issue certificates for the host. Name the one that you use.": (
        "哪家机构可以为主机签发证书。请写您所用的那家。"
    ),
    "DANE: other servers know the certificate's key. For a zone that DNSSEC signs.": (
        "DANE：其他服务器由此知道证书的公钥。用于有 DNSSEC 签名的区域。"
    ),
    # What to do about them
    "The DNS did not answer. Try again later.": "DNS 没有应答。请稍后再试。",
    "Add the record.": "请添加该记录。",
    "Replace the record.": "请替换该记录。",
    "Remove the other records.": "请删除其他记录。",
    "Mail for the domain goes to another host. Replace the record.": "该域名的邮件发往别的主机。请替换该记录。",
    "Another host comes first. Give this one the lowest number.": "别的主机排在前面。请把本机的优先级数值设为最小。",
    "There are several, and none counts then. Leave one.": "有多条记录，因而都不算数。请只留一条。",
    "It may leave out this host. See that it allows it.": "它可能没有包括本机。请确认本机在内。",
    "It holds another key. Replace the record.": "其中是另一把公钥。请替换该记录。",
    "It has no policy. Replace the record.": "其中没有策略。请替换该记录。",
    # Is a machine fit for mail?
    "No DNS server answers.": "没有 DNS 服务器回答。",
    "See which servers /etc/resolv.conf names, and whether they can be reached.": (
        "请查看 /etc/resolv.conf 写了哪些服务器，能否连通。"
    ),
    "The DNS server gives wrong answers.": "DNS 服务器的应答有误。",
    "Use another one; best is one on this machine.": "请换一台；最好是本机上的。",
    "The DNS server does not vouch for DNSSEC, or is not on this machine: DANE cannot protect outgoing mail.": (
        "DNS 服务器不验证 DNSSEC，或不在本机：DANE 无法保护外发邮件。"
    ),
    "Install a validating resolver here, such as unbound, and name it in /etc/resolv.conf.": (
        "请在本机安装会验证的解析器，例如 unbound，并写入 /etc/resolv.conf。"
    ),
    "The DNS server answers, and checks DNSSEC.": "DNS 服务器应答正常，并验证 DNSSEC。",
    "{file} leads {name} to {address}.": "{file} 把 {name} 指向 {address}。",
    "Take the name out of line {number}, or give it the host's public address.": (
        "请从第 {number} 行去掉该名称，或改为主机的公网地址。"
    ),
    "{file} does not lead the host's name to this machine itself.": "{file} 没有把主机名指向本机自身。",
    "The DNS knows no address of {name}.": "DNS 中没有 {name} 的地址。",
    "Add A and AAAA records for it, or name another host with --hostname.": (
        "请为它添加 A 和 AAAA 记录，或用 --hostname 指定别的主机。"
    ),
    "This machine has no way to the Internet.": "本机无法连到互联网。",
    "See its addresses and routes.": "请检查其地址和路由。",
    "{name} leads to this machine.": "{name} 指向本机。",
    "This machine has a private address ({shown}): whether {name} leads to it cannot be seen.": (
        "本机只有内网地址（{shown}）：无法判断 {name} 是否指向本机。"
    ),
    "See that the router hands port 25 and the others over to this machine.": ("请确认路由器把 25 等端口转发到本机。"),
    "{name} leads elsewhere: this machine has {shown}.": "{name} 指向别处：本机的地址是 {shown}。",
    "Mend the A and AAAA records.": "请改正 A 和 AAAA 记录。",
    "Without an address there is no reverse DNS.": "没有地址就没有反向解析。",
    "Mend the address first.": "请先解决地址问题。",
    "The reverse DNS of {address} says {name}.": "{address} 的反向解析 是 {name}。",
    "The reverse DNS of {address} says nothing.": "{address} 没有反向解析。",
    "Have whoever gave you the address set its PTR record to {name}.": (
        "请让分配地址给您的一方把 PTR 记录设为 {name}。"
    ),
    "Forward and reverse DNS agree.": "正向和反向解析 一致。",
    "Other servers can be reached on port 25.": "可以通过 25 端口连到其他服务器。",
    "No other server can be reached on port 25.": "无法通过 25 端口连到任何其他服务器。",
    "Ask your provider to open outgoing port 25, or set route.smart_host to a relay.": (
        "请让服务商开放外发 25 端口，或把 route.smart_host 设为一个中继。"
    ),
    "Another program has port {port}.": "端口 {port} 被别的程序占用。",
    "`ss -ltnp 'sport = :{port}'` names it: stop it, and see that it does not start again.": (
        "`ss -ltnp 'sport = :{port}'` 会显示是哪个程序：请停掉它，并确保不再启动。"
    ),
    "The ports are free.": "端口空闲。",
}
