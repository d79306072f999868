"""What the settings of JMAP do."""

from __future__ import annotations

__all__ = ["JMAP"]

JMAP: dict[str, str] = {
    "Answers while people are away.": "假期自动回复。",
    "After how long a sender is answered again.": "隔多久再次答复同一发件人。",
    "Senders that one account answers within a day; those beyond get no answer.": (
        "一个账户一天内最多答复的发件人数；超出者不予答复。"
    ),
    "again_after is between 1 and 365, and most_a_day is not negative": (
        "again_after 须在 1 至 365 之间，most_a_day 不得为负数"
    ),
    "JMAP: mail for programs of the web.": "JMAP：供网页端及新式程序收发邮件的协议。",
    "Whether JMAP is served where the web is, and IMAP tells of it (RFC 9698).": (
        "是否在网页所在处提供 JMAP，并由 IMAP 告知客户端（RFC 9698）。"
    ),
    "Largest request (maxSizeRequest).": "单个请求的最大长度（maxSizeRequest）。",
    "Requests that an account may have under way (maxConcurrentRequests).": (
        "每个账户可同时进行的请求数（maxConcurrentRequests）。"
    ),
    "Method calls in a request (maxCallsInRequest).": "一个请求中最多的方法调用数（maxCallsInRequest）。",
    "Objects that one call may ask for (maxObjectsInGet).": "一次调用最多可读取的对象数（maxObjectsInGet）。",
    "Objects that one call may create, update and destroy (maxObjectsInSet).": (
        "一次调用最多可创建、修改和删除的对象数（maxObjectsInSet）。"
    ),
    "Largest upload (maxSizeUpload).": "单次上传的最大长度（maxSizeUpload）。",
    "Uploads that an account may have under way (maxConcurrentUpload).": (
        "每个账户可同时进行的上传数（maxConcurrentUpload）。"
    ),
    "How long an upload or a download may take.": "一次上传或下载最长可用时间。",
    "How long an upload that nobody used is kept; an hour at least.": "未使用的上传保留多久；至少一小时。",
    "Octets of unused uploads of an account; the oldest leave.": (
        "每个账户未使用的上传最多占用的字节数；超出时最早的先删除。"
    ),
    "Unused uploads of an account; the oldest leave.": "每个账户未使用的上传的最多个数；超出时最早的先删除。",
    "Values that the references of a request may bring together.": "一个请求的引用最多可汇集的值的个数。",
    "Results of one call of a query; a client that wants more asks again.": (
        "一次查询调用最多返回的结果数；需要更多的客户端可再次查询。"
    ),
    "Changes that one call tells of; a client asks for the rest.": ("一次调用最多告知的变更数；其余由客户端再次查询。"),
    "How long a login is remembered that each request repeats; a revoked one is not.": (
        "每个请求都附带的登录信息记住多久；已吊销的不记。"
    ),
    "Connections of an account to which changes are pushed, of both kinds.": (
        "一个账户同时接收推送的连接数，两种方式合计。"
    ),
    "The same of all accounts together.": "所有账户合计的此类连接数。",
    "Changes of an account that come sooner after one another are pushed together.": "同一账户相隔更短的变更合并推送。",
    "How long a stream of events lasts; then the client opens another, and misses nothing.": (
        "一条事件流持续的时间；之后客户端会重新打开，不会遗漏任何变更。"
    ),
    "Web Push: subscriptions of an account; 0: nothing is pushed to URLs.": (
        "Web Push：一个账户的推送订阅数；0 表示不向任何网址推送。"
    ),
    "Subscriptions that an account may make: each one is a request to a URL that it chose.": (
        "一个账户每小时可新建的推送订阅数：每新建一个，服务器都会向其指定的网址发出一次请求。"
    ),
    "Seconds between two pushes to one URL at least; what changes meanwhile is one push.": (
        "对同一网址的两次推送至少相隔的秒数；其间的变更合并为一次推送。"
    ),
    "Number of the key that push services know this server by; another number is another key.": (
        "推送服务用来识别本服务器的密钥的编号；换一个编号就是换一把密钥。"
    ),
}
