"""The languages in which POP3 speaks to people (RFC 6856 §3). A sentence that is not here is said in English."""

from __future__ import annotations

__all__ = ["LANGUAGES", "SPOKEN", "find_language", "in_chinese", "reply_in_chinese"]

import re
from typing import Final

_TAGS: Final = {
    **dict.fromkeys(("*", "i-default", "en", "en-us", "en-gb"), "en"),
    **dict.fromkeys(("zh", "zh-cn", "zh-sg", "zh-hans", "zh-hans-cn", "zh-hans-sg", "cmn", "cmn-hans"), "zh"),
}
"""Language tags (RFC 5646), and which language that is here."""

SPOKEN: Final = {"en": "en We speak English", "zh": "zh Chinese it is"}
"""What is answered when a language begins."""

LANGUAGES: Final = "en English\r\nzh 中文\r\n".encode()
"""The listing of LANG."""

_REPLY: Final = re.compile(r"((?:\+OK|-ERR) (?:\[[^\]]*\] )?)(.+)")
_VARIABLE: Final = re.compile(r"(?<![A-Za-z-])\d+|https?://\S+")
"""What stands as # in a sentence, and keeps its place in the order."""

_SENTENCES: Final = {
    # Answers
    "# messages (# octets)": "# 封邮件（# 字节）",
    "# messages": "# 封邮件",
    "# octets": "# 字节",
    "top of message follows": "以下是邮件开头部分",
    "Message will be deleted at QUIT": "该邮件将在 QUIT 时删除",
    "Names and mail are in UTF-8": "用户名和邮件使用 UTF-8",
    "Nothing done": "未执行任何操作",
    "Say PASS": "请用 PASS 发送密码",
    "Begin TLS": "开始 TLS",
    "Bye": "再见",
    "Bye; # of them were removed by another program": "再见；其中 # 封已被其他程序删除",
    "zh Chinese it is": "zh 已切换为中文",
    # Commands that are refused
    "A number is needed": "需要一个数字",
    "Already logged in": "已经登录",
    "Log in first": "请先登录",
    "Say AUTH first": "请先用 AUTH",
    "Say STLS before logging in": "登录前请先用 STLS 启用 TLS",
    "Say USER first": "请先用 USER 发送用户名",
    "STLS is not offered or takes no argument": "此处不提供 STLS，或 STLS 不带参数",
    "That language is not spoken here": "不支持该语言",
    "The command is not UTF-8": "命令不是 UTF-8 编码",
    "The form is USER name": "格式为：USER 用户名",
    "The line is too long": "命令行过长",
    "The response is not valid base64": "应答不是有效的 base64",
    "The exchange failed": "认证过程失败",
    "There is no such message": "没有这封邮件",
    "This authentication mechanism is not offered": "不提供这种认证方式",
    "TLS is already in use": "已在使用 TLS",
    "Unknown command": "未知命令",
    "Too many errors on this connection; closing it": "此连接上错误过多，即将关闭",
    "Lines must end with CRLF and hold no NUL; closing the connection": "每行须以 CRLF 结尾且不含 NUL；即将关闭连接",
    # Logins that are refused
    "Wrong name or secret. Mail programs need an app password: #": "用户名或密码错误。邮件客户端须使用授权码：#",
    "This certificate was revoked, has expired or is not that account's; ask for a new one.": (
        "此证书已吊销、已过期或不属于该账户；请申请新证书。"
    ),
    "This account is suspended, ask your admin.": "此账户已停用，请联系管理员。",
    "POP3 is switched off for this account, ask your admin to switch it on.": ("此账户未开启 POP3，请联系管理员开启。"),
    "POP3 is not for this class of account, use IMAP or ask your admin.": (
        "此类账户不能使用 POP3，请改用 IMAP 或联系管理员。"
    ),
    "This app password or certificate is for other services than POP3: #": "此授权码或证书不适用于 POP3：#",
    "Too many devices are in use, revoke one of their app passwords first: #": (
        "使用中的设备过多，请先作废其中一个授权码：#"
    ),
    "Too many failed logins, try again in a minute.": "登录失败次数过多，请一分钟后再试。",
    "Too many failed logins, try again in # minutes.": "登录失败次数过多，请 # 分钟后再试。",
    "Too many logins at once, try again in a moment.": "同时登录过多，请稍后再试。",
    "Logins need TLS.": "登录须使用 TLS。",
    "Logins cannot be checked now, try again later.": "暂时无法验证登录，请稍后再试。",
    "Logins cannot be checked now, try again later": "暂时无法验证登录，请稍后再试",
    "That credential was revoked just now": "该授权码刚刚作废",
    "This account has logged in a moment ago; try again later": "此账户刚刚登录过，请稍后再试",
    "Your mail cannot be opened just now, try again later": "暂时无法打开您的邮箱，请稍后再试",
    # Mail that cannot be had
    "This message cannot be read just now": "暂时无法读取这封邮件",
    "This message was removed by another program; log in again to see what is left": (
        "这封邮件已被其他客户端移除；请重新登录查看剩余邮件"
    ),
    "Some of the deleted messages are not removed, try again later": "部分邮件未能删除，请稍后再试",
    "The service is restarting; try again in a minute": "服务正在重启，请一分钟后再试",
    "Something failed here; try again later": "服务器出错，请稍后再试",
}


def find_language(tag: str) -> str | None:
    """Return the language that a tag, or `*`, means: `en`, `zh`, or None."""
    return _TAGS.get(tag.lower())


def in_chinese(sentence: str) -> str:
    """Return a sentence as it is said in Chinese; the same, if it is not known."""
    found = _SENTENCES.get(_VARIABLE.sub("#", sentence))
    if found is None:
        return sentence
    values = iter(_VARIABLE.findall(sentence))
    return re.sub("#", lambda _: next(values), found)


def reply_in_chinese(line: str) -> str:
    """Return a status line with its sentence in Chinese; what programs read of it stays."""
    return _REPLY.sub(lambda found: found[1] + in_chinese(found[2]), line)
