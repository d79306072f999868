"""How POP3 and IMAP serve single accounts."""

from __future__ import annotations

__all__ = ["ACCOUNT_SETTINGS"]

ACCOUNT_SETTINGS: dict[str, str] = {
    # Help
    "Show how POP3 serves an account; or set it, from its next login.": (
        "显示 POP3 如何服务一个账户；或予以设定，下次登录起生效。"
    ),
    "Messages that came within so many days are shown, such as 30; 0: all.": "只显示最近这些天的邮件，如 30；0：全部。",
    "What becomes of what was fetched: nothing, it counts as read, or it is removed.": (
        "收取后的邮件如何处理：不变、标为已读，或删除。"
    ),
    "How many days what is to be removed stays after it came.": "待删除的邮件自到达起保留的天数。",
    "What DELE does: the message is gone, goes to Trash, or stays where it is.": (
        "DELE 的作用：彻底删除、移到“已删除”（Trash），或原样保留。"
    ),
    "Show what EXPUNGE of IMAP does to an account's mail; or set it, from now on.": (
        "显示 IMAP 的 EXPUNGE 对一个账户的邮件有何作用；或予以设定，立即生效。"
    ),
    "What EXPUNGE does: the message is gone, goes to Trash, or to Archive; what is elsewhere too just leaves.": (
        "EXPUNGE 的作用：彻底删除、移到“已删除”（Trash），或移到归档（Archive）；别处另有一份的只从此处移除。"
    ),
    "Forget what was set for this account.": "清除为此账户单独设定的内容。",
    "Forget first what was set for this account.": "先清除为此账户单独设定的内容。",
    "Show which capabilities of IMAP are switched off for an account; or switch, for a program that is broken.": (
        "显示为一个账户关闭了哪些 IMAP 扩展；或为有缺陷的客户端予以开关。"
    ),
    "Offer this no more, such as MOVE; may be said several times.": "不再提供此扩展，如 MOVE；可多次指定。",
    "Offer this again; may be said several times.": "重新提供此扩展；可多次指定。",
    "Say what to set.": "请指明要设定什么。",
    # Configuration
    "Messages that came within so many days are shown; 0: all. An account may have its own.": (
        "只显示最近这些天的邮件；0：全部。账户可单独设定。"
    ),
    "What becomes of what was fetched: `keep`, `seen` (it counts as read), `delete`.": (
        "收取后的邮件如何处理：`keep`（不变）、`seen`（标为已读）、`delete`（删除）。"
    ),
    "With `delete`: how long what was fetched stays, counted from its arrival.": (
        "设为 `delete` 时：收取后的邮件自到达起保留多久。"
    ),
    "What DELE does: `expunge`; `trash`: the message moves there; `keep`: nothing.": (
        "DELE 的作用：`expunge`（彻底删除）、`trash`（移到“已删除”）或 `keep`（原样保留）。"
    ),
    "What EXPUNGE does to a message that is in no other mailbox: `expunge`, or `trash`, `keep`: it goes to Trash,"
    " to Archive. An account may have its own.": (
        "EXPUNGE 对别处再无一份的邮件的作用：`expunge`（彻底删除），或 `trash`（移到“已删除”）、`keep`（移到归档）。"
        "账户可单独设定。"
    ),
    "How long an account waits from one login to the next (RFC 2449 §6.5).": (
        "一个账户两次登录之间须等待多久（RFC 2449 §6.5）。"
    ),
    "How many times as large as it came what a client sends compressed may be, beyond one append_limit.": (
        "客户端压缩发送的内容解压后，除一个 append_limit 外，最多可为其原大小的多少倍。"
    ),
    "Capabilities that are not offered, and whose commands are refused: `NAME` to everybody, `PROGRAM: NAME` to"
    " mail programs whose ID begins so. For single accounts: `hongyan account capabilities`.": (
        "不提供且拒绝其命令的扩展：`NAME` 对所有人，`PROGRAM: NAME` 对 ID 以此开头的客户端。"
        "单个账户请用 `hongyan account capabilities`。"
    ),
    "what": "事项",
    "how": "方式",
    "all": "全部",
    "those of the last {days} days": "最近 {days} 天",
    "messages that are shown": "显示的邮件",
    "what was fetched": "收取后的邮件",
    "what is deleted": "删除的邮件",
    "stays as it is": "保持不变",
    "counts as read": "标为已读",
    "is removed {days} days after it came": "到达 {days} 天后删除",
    "is gone": "彻底删除",
    "goes to Trash": "移到“已删除”",
    "goes to Archive": "移到归档",
    "Switched off for {address}: {names}": "已为 {address} 关闭：{names}",
    "nothing": "无",
    # Errors
    "Say what EXPUNGE is to do, or that nothing of its own is to hold.": (
        "请指明 EXPUNGE 的作用，或清除单独设定的内容。"
    ),
    "A number of days is between 0 and {most}.": "天数应在 0 到 {most} 之间。",
    "{name} is no capability that can be switched off.": "{name} 不是可以关闭的扩展。",
}
