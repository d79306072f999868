"""What accounts may send: quotas, holds, release."""

from __future__ import annotations

__all__ = ["SENDING"]

SENDING: dict[str, str] = {
    # Help
    "Show what an account may send, what it has sent and whether it is on hold; or give it limits of its own.": (
        "显示一个账户可发多少、已发多少、是否已暂停发信；或为它单独设定上限。"
    ),
    "List the accounts on hold.": "列出已暂停发信的账户。",
    "Let an account send no more, and tell its owner. Its mail in the queue is held; it still reads mail.": (
        "暂停一个账户发信并告知其所有者。队列中它的邮件被暂扣；仍可阅读邮件。"
    ),
    "Let an account that is on hold send again: its mail in the queue leaves.": (
        "让已暂停的账户恢复发信：队列中它的邮件随之发出。"
    ),
    "Why, for the audit trail; the owner reads the reason of a hold.": "原因，记入审计；暂停的原因所有者可见。",
    "Messages that leave within a day.": "一天内发往外部的邮件数。",
    "Recipients within a day that it never wrote to before.": "一天内从未联系过的收件人数。",
    "Recipients within an hour that it never wrote to before.": "一小时内从未联系过的收件人数。",
    "Recipients elsewhere of one message.": "一封邮件的外部收件人数。",
    "Whether it is never put on hold without an operator.": "是否除管理员外永不自动暂停。",
    "Forget its own limits first: those of its class hold.": "先清除单独设定的上限：改用其类别的上限。",
    "Say which limit.": "请指明是哪一项上限。",
    # Answers
    "limit": "上限",
    "at most": "最多",
    "used": "已用",
    "set for": "适用于",
    "this account": "此账户",
    "consumer": "个人",
    "enterprise": "企业",
    "messages a day": "每天邮件数",
    "new recipients a day": "每天新收件人数",
    "new recipients an hour": "每小时新收件人数",
    "recipients of one message": "每封邮件收件人数",
    "since": "起始",
    "by": "由",
    "trigger": "触发条件",
    "first-time-recipients": "新收件人过多",
    "bounces": "不存在的地址过多",
    "volume": "发信量突增",
    "same-body": "相同内容群发",
    "places": "登录地点过多",
    "operator": "管理员",
    "On hold since {since}: {trigger}. {reason}": "自 {since} 起暂停发信：{trigger}。{reason}",
    "It is never put on hold without an operator.": "除管理员外永不自动暂停。",
    "It was released, and is not put on hold by itself before {until}.": "已恢复发信，{until} 之前不会自动暂停。",
    "No account is on hold.": "没有账户被暂停发信。",
    "{address} is on hold; {count} recipients in the queue are held.": (
        "{address} 已暂停发信；队列中 {count} 个收件人被暂扣。"
    ),
    "Was it stolen? Revoke its app passwords: `hongyan app-password revoke {address}`.": (
        "账户被盗？请撤销其授权码：`hongyan app-password revoke {address}`。"
    ),
    "{address} may send again; {count} recipients in the queue go on.": (
        "{address} 已恢复发信；队列中 {count} 个收件人继续投递。"
    ),
    "For {hours} hours it is not put on hold by itself.": "{hours} 小时内不会自动暂停。",
    "That account is on hold.": "该账户已暂停发信。",
    "That account is not on hold.": "该账户未被暂停发信。",
    "A limit is from 0 to 10,000,000.": "上限在 0 与 10,000,000 之间。",
    "A reason is needed, of at most 500 characters.": "须说明原因，不超过 500 个字符。",
    # What was seen
    "{asked} new recipients were asked for within an hour": "一小时内要求发给 {asked} 个新收件人",
    "the same text went to {strangers} new recipients in {messages} messages": (
        "相同内容以 {messages} 封邮件发给了 {strangers} 个新收件人"
    ),
    "{today} recipients within a day, where {average} are usual": "一天内 {today} 个收件人，平时为 {average} 个",
    "{hard} of the last {total} deliveries went to addresses that do not exist": (
        "最近 {total} 次投递中有 {hard} 次的地址不存在"
    ),
    "logins from {count} new countries within a day: {places}": "一天内从 {count} 个新国家登录：{places}",
    "logins from {count} new networks within a day: {places}": "一天内从 {count} 个新网络登录：{places}",
    # Settings
    "How much accounts may send, and when one looks stolen.": "账户可发多少邮件，何时视为被盗。",
    "Whether it is limited what accounts send; off is for load tests.": "是否限制账户发信；关闭仅供压力测试。",
    "Offer a return path for each recipient to programs that ask for it (XVERP).": (
        "应程序要求（XVERP），为每个收件人使用各自的退信地址。"
    ),
    "Accounts of persons.": "个人账户。",
    "Accounts of businesses.": "企业账户。",
    "Messages that leave, replies and mail to colleagues not counted.": "发往外部的邮件，回复和发给同事的不计。",
    "Recipients that the account never wrote to before.": "账户从未联系过的收件人。",
    "Whether an account that behaves as if it were stolen may send no more until released.": (
        "行为像被盗的账户是否暂停发信，直到被恢复。"
    ),
    "First-time recipients asked for beyond which an account is held, refused ones included.": (
        "要求发给的新收件人超过此数即暂停，被拒绝的也计入。"
    ),
    "First-time recipients of one and the same body beyond which an account is held.": (
        "同一内容的新收件人超过此数即暂停。"
    ),
    "Messages with the same body at least, for that.": "为此至少要有多少封内容相同的邮件。",
    "Recipients beyond which it is asked whether that is usual.": "收件人超过此数时判断是否寻常。",
    "How many times its usual day an account may send.": "账户一天可发平时的多少倍。",
    "Days that an account has sent before it is known what is usual.": "账户发信多少天后才算知道平时的量。",
    "Part of the deliveries that there is no such address for, with which an account is held.": (
        "投递中地址不存在的比例达到此数即暂停。"
    ),
    "Deliveries at least, for that.": "为此至少要有多少次投递。",
    "New countries of logins beyond which an account is held.": "登录的新国家超过此数即暂停。",
    "New networks (IPv4 /16, IPv6 /32) of logins, where countries are not known.": (
        "不知国家时，登录的新网络（IPv4 /16、IPv6 /32）数。"
    ),
    "How long an account that was released is not held by itself again.": "恢复后多久内不再自动暂停。",
    "Correspondents remembered of each account: so many written to, and so many that only wrote.": (
        "每个账户记住的通信人：写过信的若干，仅来过信的若干。"
    ),
    "In which country an address is.": "地址位于哪个国家。",
    "Files that say in which country an address is: `.mmdb`, or the text of Debian's tor-geoipdb; none: networks.": (
        "说明地址所在国家的文件：`.mmdb`，或 Debian 的 tor-geoipdb 文本；留空则按网络。"
    ),
    "geoip.databases: {path} cannot be read: {error}.": "geoip.databases：无法读取 {path}：{error}。",
    "what puts an account on hold is at least one": "使账户暂停的数值至少为一",
    "hold_bounces is 1 to 100 %, of 1 to {most} deliveries": "hold_bounces 为 1 至 100 %，取 1 至 {most} 次投递",
    "days and hours are not negative, and 100 correspondents at least are remembered": (
        "天数和小时数不能为负，且至少记住 100 个通信人"
    ),
}
