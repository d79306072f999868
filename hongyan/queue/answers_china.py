"""What Tencent (QQ Mail and exmail), NetEase (163, 126, 188, yeah.net and its mail for companies) and Aliyun answer."""

from __future__ import annotations

__all__ = ["ANSWERS_CHINA"]

from hongyan.queue.answers import Provider, answers

_QQ = "https://service.mail.qq.com/detail/122"
_NETEASE = "https://help.mail.163.com/faqDetail.do?code=d7a5dc8471cd0c0e8b4b8f4f8e49998b374173cfe9171305fa1ce630d7f67ac230c558100287331e"
_NETEASE_OLD = "http://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html"
_ALIYUN = "https://help.aliyun.com/document_detail/36612.html"
_ALIYUN_PUSH = "https://help.aliyun.com/zh/direct-mail/return-code"

_TENCENT_PUBLISHED = answers(
    Provider.TENCENT,
    _QQ,
    ("ip frequency limited", "server-too-fast", "550 Ip frequency limited. https://service.mail.qq.com/detail/122/172"),
    (
        "domain frequency limited",
        "domain-too-fast",
        "550 Domain frequency limited. https://service.mail.qq.com/detail/122/173",
    ),
    (
        "sender frequency limited",
        "sender-too-fast",
        "550 Sender frequency limited. https://service.mail.qq.com/detail/122/174",
    ),
    (
        "connection frequency limited",
        "too-many-connections",
        "550 Connection frequency limited. https://service.mail.qq.com/detail/122/175",
    ),
    ("connection denied", "server-blocked", "550 Connection denied. https://service.mail.qq.com/detail/122/170"),
    (
        "mail content denied",
        "bulk-complaints",
        "550 Mail content denied [MJ8vvB3Z9HIL IP: 192.0.2.1]. https://service.mail.qq.com/detail/122/171",
    ),
    (
        "spam is embedded in the email",
        "looks-like-spam",
        "550 Spam is embedded in the email. https://service.mail.qq.com/detail/122/59",
    ),
    ("suspected spam ip", "server-reputation", "550 Suspected spam ip. https://service.mail.qq.com/detail/122/66"),
    ("suspected spam", "looks-like-spam", "550 Suspected spam. https://service.mail.qq.com/detail/122/71"),
    (
        "suspected bounce attacks",
        "forged-bounces",
        "550 Suspected bounce attacks [MAsC IP: 192.0.2.1]. https://service.mail.qq.com/detail/122/57",
    ),
    ("spf check failed", "spf-failed", "550 SPF check failed. https://service.mail.qq.com/detail/122/72"),
    ("dmarc check failed", "dmarc-failed", "550 DMARC check failed. https://service.mail.qq.com/detail/122/72"),
    (
        "mail is rejected by recipients",
        "recipient-refuses",
        "550 Mail is rejected by recipients [192.0.2.1]. https://service.mail.qq.com/detail/122/92",
    ),
    (
        "mailbox not found or access denied",
        "mailbox-unknown",
        "550 Mailbox not found or access denied. https://service.mail.qq.com/detail/122/169",
    ),
    (
        "mailbox unavailable or access deni",
        "recipient-too-popular",
        "550 Mailbox unavailable or access denied. https://service.mail.qq.com/detail/122/166",
    ),
    ("mailbox not found", "mailbox-unknown", "550 Mailbox not found. https://service.mail.qq.com/detail/122/169"),
    (
        "bad address syntax",
        "address-syntax",
        "501 Bad address syntax. https://service.mail.qq.com/detail/122/167",
    ),
    ("message too large", "message-too-large", "552 Message too large. https://service.mail.qq.com/detail/122/168"),
    is_published=True,
)
_TENCENT_REPORTED = answers(
    Provider.TENCENT,
    "reports of refused senders, gathered by github.com/sisimai",
    ("is a deactivated mailbox", "mailbox-closed", "550 goose@qq.com is a deactivated mailbox"),
    is_published=False,
)

_NETEASE_PUBLISHED = answers(
    Provider.NETEASE,
    _NETEASE,
    ("hl:rep", "bad-recipients", "421 HL:REP 163 mx9,PsCowEA5.8 1606123512 http://mail.163.com/help/help_spam_16.htm"),
    ("421 & hl:icc", "too-many-connections", "421 4.4.5 HL:ICC 163 mx9,PsCowEA5 1606123512"),
    ("554 & hl:icc", "server-too-fast", "554 HL:ICC 163 mx9,PsCowEA5 1606123512"),
    ("hl:ifc", "server-too-fast", "421 4.5.0 HL:IFC 163 mx9,PsCowEA5 1606123512"),
    ("hl:ifq", "server-too-fast", "554 HL:IFQ 163 mx9,PsCowEA5 1606123512"),
    ("hl:itc", "server-too-fast", "554 5.7.3 HL:ITC 163 mx9,PsCowEA5 1606123512"),
    ("hl:mep", "server-reputation", "421 HL:MEP 163 mx9,PsCowEA5 1606123512"),
    ("hl:ihu", "server-blocked", "554 HL:IHU 163 mx9,PsCowEA5 1606123512"),
    ("hl:ipb", "not-registered", "554 HL:IPB 163 mx9,PsCowEA5 1606123512"),
    ("mi:cel", "protocol", "450 MI:CEL 163 mx9,PsCowEA5 1606123512"),
    ("mi:dmc", "too-many-connections", "450 MI:DMC 163 mx9,PsCowEA5 1606123512"),
    ("mi:ccl", "protocol", "450 MI:CCL 163 mx9,PsCowEA5 1606123512"),
    ("rp:drc", "too-many-recipients", "450 4.5.3 RP:DRC 163 mx9,PsCowEA5 1606123512"),
    ("rp:ccl", "protocol", "450 RP:CCL 163 mx9,PsCowEA5 1606123512"),
    ("rp:cel", "protocol", "451 RP:CEL 163 mx9,PsCowEA5 1606123512"),
    ("dt:rbl", "server-listed", "450 DT:RBL 163 mx9,PsCowEA5 1606123512"),
    ("wm:bli", "not-registered", "450 WM:BLI 163 mx9,PsCowEA5 1606123512"),
    ("wm:blu", "sender-blocked", "450 WM:BLU 163 mx9,PsCowEA5 1606123512"),
    ("4yz & dt:spm", "looks-like-spam-for-now", "451 DT:SPM mx9,PsCowEA5 1606123512, please try again"),
    ("5yz & dt:spm", "looks-like-spam", "554 DT:SPM 163 mx9,PsCowEA5 http://mail.163.com/help/help_spam_16.htm"),
    ("dt:sum", "from-mismatch", "554 DT:SUM 163 mx9,PsCowEA5 1606123512"),
    ("mi:sfq", "sender-too-fast", "451 MI:SFQ 163 mx9,PsCowEA5 1606123512"),
    ("rp:qrc", "sender-too-fast", "451 RP:QRC 163 mx9,PsCowEA5 1606123512"),
    ("rp:trc", "sender-too-fast", "550 RP:TRC 163 mx9,PsCowEA5 1606123512"),
    ("mi:stc", "sender-too-fast", "554 5.5.0 MI:STC 163 mx9,PsCowEA5 1606123512"),
    ("rp:rcl", "too-many-recipients", "550 RP:RCL 163 mx9,PsCowEA5 1606123512"),
    ("mi:nhd", "helo-refused", "550 MI:NHD 163 mx9,PsCowEA5 1606123512"),
    ("mi:imf", "message-malformed", "550 MI:IMF 163 mx9,PsCowEA5 1606123512"),
    ("mi:spf", "spf-failed", "550 MI:SPF 163 mx9,PsCowEA5 1606123512 http://mail.163.com/help/help_spam_16.htm"),
    ("mi:dma", "dmarc-failed", "550 MI:DMA 163 mx9,PsCowEA5 1606123512"),
    ("mi:spb", "sender-blocked", "554 MI:SPB UserReject 0,mx9,PsCowEA5"),
    ("rp:frl", "relay-denied", "550 RP:FRL 163 mx9,PsCowEA5 1606123512"),
    ("ip in blacklist", "server-blocked", "554 IP in blacklist"),
    ("auth error limit exceed", "server-blocked", "554 IP is rejected, smtp auth error limit exceed"),
    ("invalid user", "mailbox-unknown", "550 Invalid User: goose@163.com"),
    ("user in blacklist", "sender-blocked", "550 User in blacklist"),
    ("user suspend", "mailbox-closed", "550 User suspended: goose@163.com"),
    ("too much recipient", "too-many-recipients", "550 Requested mail action not taken: too much recipient"),
    ("illegal attachment", "attachment-forbidden", "552 Illegal Attachment"),
    (
        "exceeded mailsize limit",
        "message-too-large",
        "552 Requested mail action aborted: exceeded mailsize limit",
    ),
    (
        "null sender is not allowed",
        "null-sender-refused",
        "553 Requested action not taken: NULL sender is not allowed",
    ),
    ("local user only", "not-registered", "553 Requested action not taken: Local user only"),
    ("no smtp mx only", "from-mismatch", "553 Requested action not taken: no smtp MX only"),
    ("local error in processing", "temporary", "451 Requested action aborted: local error in processing"),
    ("bad syntaxu", "protocol", "500 Error: bad syntaxU"),
    is_published=True,
)
_NETEASE_OLDER = answers(
    Provider.NETEASE,
    _NETEASE_OLD,
    ("authentication is required", "not-registered", "553 authentication is required"),
    (
        "too much fail authentication",
        "login-failed",
        "451 Requested mail action not taken: too much fail authentication",
    ),
    ("user not found", "mailbox-unknown", "550 User not found: goose@126.com"),
    is_published=True,
)
_NETEASE_REPORTED = answers(
    Provider.NETEASE,
    "reports of refused senders",
    ("domain exceed the sent limit", "domain-too-fast", "554 5.5.3 Domain exceed the sent limit"),
    is_published=False,
)

_ALIYUN_PUBLISHED = answers(
    Provider.ALIYUN,
    _ALIYUN,
    ("spamed by local spam engine", "looks-like-spam", "554 spamed by local spam engine"),
    ("spammed by local spam engine", "looks-like-spam", "554 Message spammed by local spam engine"),
    (
        "rcptto account isn't a local account",
        "mailbox-unknown",
        "503 Rcptto account isn't a local account",
    ),
    ("mailfrom account is a local account", "from-mismatch", "502 Mailfrom account is a local account"),
    (
        "number of rcpt attempts is achieved",
        "too-many-recipients",
        "504 the number of RCPT attempts is achieved the maximum threshold",
    ),
    ("total of rcpts is achieved", "sender-too-fast", "505 the total of RCPTs is achieved the maximum threshold"),
    (
        "length of data content is achieved",
        "message-too-large",
        "510 The length of DATA content is achieved the maximum threshold",
    ),
    ("length of attach is achieved", "message-too-large", "510 The length of Attach is achieved the maximum threshold"),
    (
        "number of attachments is achieved",
        "message-too-large",
        "510 The number of attachments is achieved the maximum threshold",
    ),
    (
        "content and attachment content guidelines",
        "attachment-forbidden",
        "552 5.7.0 content and attachment content guidelines",
    ),
    is_published=True,
)
_ALIYUN_DIRECT = answers(
    Provider.ALIYUN,
    _ALIYUN_PUSH,
    ("number of rcpts is over size", "too-many-recipients", "556 The number of RCPTs is over size"),
    ("invalid rcptto", "mailbox-unknown", "559 Invalid rcptto [@sm070102]"),
    ("reject by content spam", "looks-like-spam", "554 Reject by content spam at SpamEngine"),
    ("sending quota exceeded", "sender-too-fast", "552 Daily sending quota exceeded"),
    ("not enough sending quota", "sender-too-fast", "552 Not enough sending quota"),
    ("main account unavailable", "account-disabled", "551 Main account unavailable"),
    ("host not found by dns resolve", "domain-unknown", "524 Host not found by dns resolve"),
    ("no data by dns resolve", "no-server", "526 No data by dns resolve"),
    ("connect to unreachable host", "no-answer", "427 Socks Connect to UNREACHABLE host"),
    is_published=True,
)
_ALIYUN_REPORTED = answers(
    Provider.ALIYUN,
    "reports of refused senders",
    ("mailbox not found", "mailbox-unknown", "550 Mailbox not found"),
    (
        "reject by behaviour spam",
        "server-reputation",
        "554 Reject by behaviour spam at Rcpt State(Connection IP address:192.0.2.1)ANTISPAM_BAT",
    ),
    is_published=False,
)

ANSWERS_CHINA = (
    *_TENCENT_PUBLISHED,
    *_TENCENT_REPORTED,
    *_NETEASE_PUBLISHED,
    *_NETEASE_OLDER,
    *_NETEASE_REPORTED,
    *_ALIYUN_PUBLISHED,
    *_ALIYUN_DIRECT,
    *_ALIYUN_REPORTED,
)
"""In the order in which they are tried, provider by provider."""
