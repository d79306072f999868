"""What is said of mail programs that find their settings."""

from __future__ import annotations

__all__ = ["AUTOCONFIG"]

AUTOCONFIG: dict[str, str] = {
    "What mail programs find out about an address by themselves.": "邮件客户端凭地址能自动找到的设置。",
    "The address that is typed into the program.": "在客户端里填写的邮箱地址。",
    "Ask for the settings of an address as each mail program does, in its order, and show what it would find.": (
        "按各客户端的方式和次序查询某地址的设置，并显示它会找到什么。"
    ),
    "Nothing is told there.": "那里没有提供设置。",
    "no record vouches for this answer": "没有 DNS 记录可证明这份设置",
    "Some programs would find nothing. `hongyan domain check` says which records are missing.": (
        "有些客户端会找不到任何设置。运行 `hongyan domain check` 可知缺少哪些记录。"
    ),
}
