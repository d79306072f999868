"""What the web says when something is not as it should be."""

from __future__ import annotations

__all__ = ["WEB"]

WEB: dict[str, str] = {
    "The request cannot be read": "无法读取该请求",
    "Log in first": "请先登录",
    "Not allowed": "不允许",
    "Not found": "未找到",
    "Not possible here": "此处不支持",
    "That does not go together": "与现状冲突",
    "The request is not JSON": "请求不是 JSON",
    "Something is not right": "填写有误",
    "Too often": "过于频繁",
    "Our fault": "服务器出错",
    "Not now": "暂时无法完成",
    "Not possible": "无法完成",
    "That is not possible just now. Try again later.": "暂时无法完成，请稍后再试。",
    "Something went wrong.": "服务器出错了。",
    "That cannot be done.": "无法完成。",
    "The name or the password is wrong.": "用户名或密码错误。",
    "This needs HTTPS.": "此处需要 HTTPS。",
    "This key is wrong, has ended or was revoked.": "此密钥错误、已过期或已吊销。",
    "The request does not say that it comes from our own pages.": "该请求没有表明来自本站页面。",
    "Another site made this request.": "该请求由其他网站发起。",
    "The body is not valid JSON.": "内容不是有效的 JSON。",
    "Give an object.": "请提供一个对象。",
    "There is no such field.": "没有这个字段。",
    "This field is needed.": "此项必填。",
    "This parameter is needed.": "缺少此参数。",
    "Give a list.": "请提供一个列表。",
    "Give at most {number}.": "最多 {number} 个。",
    "Give one of: {words}.": "请选择其一：{words}。",
    "Give true or false.": "请填写 true 或 false。",
    "Give a whole number between {least} and {most}.": "请填写 {least} 到 {most} 之间的整数。",
    "Give a text.": "请填写文本。",
    "Give between {least} and {most} characters.": "请填写 {least} 到 {most} 个字符。",
    "There is a character that no text holds.": "含有无法使用的字符。",
    "Give a moment, such as 2026-11-23T08:00:00Z.": "请填写时间，例如 2026-11-23T08:00:00Z。",
    "Nobody is logged in, or the session has ended.": "尚未登录，或会话已结束。",
    "This cannot be done with that method.": "不支持该请求方法。",
    "There is nothing here.": "这里什么也没有。",
    "This key is not for that.": "此密钥没有这项权限。",
    "The second factor is still to be shown.": "请先完成两步验证。",
    "Show the password or a code again first.": "请先再次验证密码或验证码。",
    "This is for admins.": "仅限管理员。",
    "There are too many parameters.": "参数过多。",
    "Send JSON, as application/json.": "请以 application/json 发送 JSON。",
    "Some fields are not right.": "部分内容填写有误。",
    "The password is wrong.": "密码错误。",
    "The code is wrong, too old, or was used already.": "验证码错误、已过期或已被使用。",
    "This code is wrong or too old.": "验证码错误或已过期。",
    "Too many codes were tried. Wait some minutes.": "验证码尝试次数过多，请稍等几分钟。",
    "No second factor waits to be confirmed.": "没有待确认的两步验证。",
    "No second factor is in force.": "尚未启用两步验证。",
    "A second factor is in force already.": "两步验证已启用。",
    "The login was not finished in time. Begin it again.": "登录未及时完成，请重新开始。",
    "A key lives for 1 to {days} days.": "密钥的有效期为 1 到 {days} 天。",
    "The account has as many keys as it may have.": "该账户的密钥数量已达上限。",
    "Name one scope at least.": "请至少选择一项权限。",
    "The account has nothing of that number.": "该账户没有这个编号。",
    # Settings
    "How long people stay logged in.": "登录状态保持多久。",
    "A session ends when nothing was done in it for so long.": "会话闲置多久后结束。",
    "A session ends when it is so old, whatever is done in it.": "会话最长多久，无论是否在使用。",
    "The same for a session that its owner wants remembered.": "选择“记住登录”的会话闲置多久后结束。",
    "The longest life of a session that its owner wants remembered.": "选择“记住登录”的会话最长多久。",
    "How long a password or code that was shown counts for risky changes.": (
        "验证密码或验证码后，多久之内可以进行敏感操作。"
    ),
    "How long a browser that showed a second factor may log in without it.": (
        "完成两步验证的浏览器多久之内登录时无需再次验证。"
    ),
    "Sessions of an account; one more ends the longest unused.": "每个账户的会话数；超出时结束闲置最久的一个。",
    "API keys of an account.": "每个账户的 API 密钥数。",
    # The account's own settings
    "There is no such time zone.": "没有这个时区。",
    "Make two-step verification a duty in a domain: who has none sets it up on the web before anything else.": (
        "要求域名下的账户使用两步验证：尚未设置的账户登录网页后须先设置。"
    ),
    "Whether each account has to have one; --no-required: as its owner likes.": (
        "是否每个账户都必须设置；--no-required：由本人决定。"
    ),
    "Each account of {domain} has to have a second factor now.": "{domain} 的每个账户现在都必须使用两步验证。",
    "Accounts of {domain} may do without a second factor.": "{domain} 的账户可以不用两步验证。",
    "The log knows of no such login.": "登录记录中没有这一次登录。",
    "A limit is not negative, and no larger than disks are.": "限额不能为负，也不能大于磁盘所能容纳。",
    # Passkeys, and what is asked first
    "This passkey was not accepted.": "未能通过此通行密钥的验证。",
    "That took too long. Try again.": "时间过长，请重试。",
    "Passkeys need a host name: open this page by its name, and not by an address.": (
        "通行密钥需要域名：请用域名而不是 IP 地址打开本页。"
    ),
    "This passkey is known already.": "此通行密钥已经登记。",
    "The account has as many passkeys as it may have.": "该账户的通行密钥数量已达上限。",
    "Here a passkey counts together with the password only.": "此处通行密钥须与密码一起使用。",
    "Set a new password first.": "请先设置新密码。",
    "Set up two-step verification first: your organisation asks for it.": "您的单位要求两步验证，请先设置。",
    "Set a new password or two-step verification on the web first.": "请先在网页上设置新密码或两步验证。",
    "What passkeys open, and how many there may be.": "通行密钥可用于什么，以及数量上限。",
    "Whether a passkey that has recognised its owner opens the web without the password.": (
        "已验证本人的通行密钥是否可以不用密码登录网页。"
    ),
    "Passkeys of an account.": "每个账户的通行密钥数。",
}
