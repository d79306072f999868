"""Mailboxes that accounts share with each other."""

from __future__ import annotations

__all__ = ["SHARING"]

SHARING: dict[str, str] = {
    # Help
    "Mailboxes that accounts share with each other.": "账户之间共享的邮箱文件夹。",
    "The address of the account whose mailbox it is.": "文件夹所属账户的地址。",
    "The mailbox, as its owner calls it, such as INBOX or Work/Bills.": (
        "文件夹，按其所有者的叫法，如 INBOX 或 Work/Bills。"
    ),
    "The address of another account, or anyone: all accounts of the owner's domain.": (
        "另一账户的地址，或 anyone：所有者所在域的全部账户。"
    ),
    "Speak of what is denied, whatever else grants it.": "指定的是禁止的权限，不论其他授权如何。",
    "read, write (change, file and remove messages), all, or letters of RFC 4314 such as lrs.": (
        "read（阅读）、write（修改、存入和删除邮件）、all（全部），或 RFC 4314 的字母，如 lrs。"
    ),
    "Let somebody do this with a mailbox, instead of what they could do before.": (
        "授予某人对文件夹的这些权限，取代原有权限。"
    ),
    "Take back what somebody may do with a mailbox; whoever looks at it is sent away at once.": (
        "收回某人对文件夹的权限；正在查看的连接立即断开。"
    ),
    "Show what an account shares with whom, and which mailboxes of others it reaches.": (
        "显示一个账户与谁共享了什么，以及它能访问他人的哪些文件夹。"
    ),
    # Answers
    "{mailbox} of {address}: {identifier} has {rights}.": "{address} 的 {mailbox}：{identifier} 的权限为 {rights}。",
    "{mailbox} of {address}: nothing for {identifier} any more.": (
        "{address} 的 {mailbox}：已收回 {identifier} 的权限。"
    ),
    "shared with": "共享给",
    "rights": "权限",
    "mailbox of somebody else": "他人的文件夹",
    "It shares no mailbox.": "它没有共享任何文件夹。",
    "It reaches no mailbox of others.": "它不能访问他人的任何文件夹。",
    # Errors
    "Rights are read, write or all, or letters of RFC 4314 such as lrs.": (
        "权限为 read、write 或 all，或 RFC 4314 的字母，如 lrs。"
    ),
    "Say which rights; mailbox unshare takes them back.": "请指明权限；收回请用 mailbox unshare。",
    "There is no such account that mailboxes can be shared with.": "没有这样的账户可以共享文件夹。",
    "An identifier is the address of an account here, or anyone.": "请给出本机某个账户的地址，或 anyone。",
    "The owner of a mailbox has all rights, always.": "文件夹的所有者始终拥有全部权限。",
    "Mailboxes cannot be shared here.": "本机不允许共享文件夹。",
    "Mailboxes cannot be shared with everybody here.": "本机不允许与所有人共享文件夹。",
}
