"""What Outlook.com, Hotmail and Exchange Online (Microsoft 365) answer."""

from __future__ import annotations

__all__ = ["ANSWERS_MICROSOFT"]

from hongyan.queue.answers import Provider, answers

_NDR = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
    "non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online"
)
_POSTMASTER = "https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx"

_PUBLISHED = answers(
    Provider.MICROSOFT,
    _NDR,
    (
        "5.1.10 & recipient not found",
        "mailbox-unknown",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    ),
    (
        "5.4.1 & recipient address rejected: access denied",
        "mailbox-unknown",
        "550 5.4.1 Recipient address rejected: Access denied. [AM7EUR06FT001.eop-eur06.prod.protection.outlook.com]",
    ),
    (
        "requested action not taken: mailbox unavailable",
        "mailbox-unknown",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    ),
    ("exrecipnotfound", "mailbox-unknown", "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"),
    (
        "mailbox cannot be accessed",
        "mailbox-closed",
        "550 5.2.1 Mailbox cannot be accessed",
    ),
    (
        "content filter agent quarantined",
        "looks-like-spam",
        "550 5.2.1 Content Filter agent quarantined this message",
    ),
    ("submission quota exceeded", "sender-too-fast", "550 5.2.2 Submission quota exceeded"),
    (
        "5.2.2 & mailbox full",
        "mailbox-full",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
    ),
    (
        "quotaexceededexception",
        "mailbox-full",
        "552 5.2.2 STOREDRV.Deliver; QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
    ),
    (
        "recipsizelimit",
        "message-too-large",
        "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
    ),
    (
        "per hour message receive limit",
        "recipient-too-popular",
        "550 5.2.121 Recipient's per hour message receive limit from specific sender exceeded.",
    ),
    (
        "recipient has exceeded their limit for",
        "recipient-too-popular",
        "550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour.",
    ),
    (
        "5.3.4 & message",
        "message-too-large",
        "552 5.3.4 Message size exceeds fixed maximum message size",
    ),
    ("hop count exceeded", "loop", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34"),
    ("routing loop detected", "loop", "550 5.4.6 Routing loop detected"),
    (
        "no mail-enabled subscriptions",
        "domain-takes-no-mail",
        "451 4.4.4 a recipient domain configured in a hosted tenant which has no mail-enabled subscriptions",
    ),
    ("tenantattribution; relay access denied", "relay-denied", "550 5.7.64 TenantAttribution; Relay Access Denied"),
    ("unable to relay", "relay-denied", "550 5.7.1 Unable to relay"),
    ("too many recipients", "too-many-recipients", "452 4.5.3 Too many recipients (AS780090)"),
    (
        "recipient thread limit exceeded",
        "recipient-too-popular",
        "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
    ),
    (
        "bad outbound sender",
        "account-disabled",
        "550 5.1.8 Access denied, bad outbound sender AS(42003)",
    ),
    (
        "invalid characters & 5.6.11",
        "message-malformed",
        "550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds, invalid characters",
    ),
    ("barelinefeedsareillegal", "message-malformed", "550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal"),
    (
        "sender policy framework violation",
        "spf-failed",
        "550 5.7.23 The message was rejected because of Sender Policy Framework violation",
    ),
    (
        "must have a reverse dns record",
        "ptr-missing",
        "550 5.7.25 Access denied, the sending IPv6 address [2001:db8::1] must have a reverse DNS record",
    ),
    (
        "must pass either spf or dkim validation",
        "unauthenticated",
        "450 4.7.26 Access denied, a message sent over IPv6 must pass either SPF or DKIM validation",
    ),
    (
        "does not pass dmarc verification",
        "dmarc-failed",
        "550 5.7.509 Access denied, sending domain [EXAMPLE.ORG] does not pass DMARC verification",
    ),
    (
        "does not meet the required authentication level",
        "unauthenticated",
        "550 5.7.515 Access denied, sending domain EXAMPLE.ORG does not meet the required authentication level.",
    ),
    (
        "not authenticated for group",
        "members-only",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; sender not authenticated for group",
    ),
    (
        "not authenticated for mailbox",
        "members-only",
        "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; sender was not authenticated for mailbox",
    ),
    (
        "not in allowed-senders list",
        "members-only",
        "550 5.7.124 Sender not in allowed-senders list",
    ),
    (
        "not authenticated by organization",
        "members-only",
        "550 5.7.12 Sender was not authenticated by organization",
    ),
    (
        "client was not authenticated",
        "members-only",
        "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
    ),
    (
        "access denied, spam abuse detected",
        "account-disabled",
        "550 5.7.501 Access denied, spam abuse detected",
    ),
    (
        "access denied, bad helo",
        "helo-refused",
        "550 5.7.506 Access Denied, Bad HELO",
    ),
    (
        "access denied, rejected by recipient",
        "server-blocked",
        "550 5.7.507 Access denied, rejected by recipient",
    ),
    (
        "has exceeded permitted limits within",
        "server-too-fast",
        "550 5.7.508 Access denied, [2001:db8::1] has exceeded permitted limits within /64 range",
    ),
    (
        "does not accept email over ipv6",
        "ipv6-refused",
        "550 5.7.510 Access denied, example.com does not accept email over IPv6",
    ),
    (
        "message must be rfc 5322",
        "message-malformed",
        "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant",
    ),
    (
        "using customer block list",
        "server-blocked",
        "550 5.7.513 Client host [192.0.2.1] blocked by example.com using Customer Block list (AS16012607)",
    ),
    ("banned sending ip", "server-blocked", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
    ("access denied, banned sender", "sender-blocked", "550 5.7.511 Access denied, banned sender[192.0.2.1]"),
    ("access denied, banned recipient", "recipient-refuses", "550 5.7.505 Access denied, banned recipient"),
    (
        "access denied, tenant has exceeded threshold",
        "domain-too-fast",
        "550 5.7.705 Access denied, tenant has exceeded threshold",
    ),
    (
        "traffic not accepted from this ip",
        "server-blocked",
        "550 5.7.708 Access denied, traffic not accepted from this IP",
    ),
    (
        "from unregistered domains",
        "sender-blocked",
        "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains",
    ),
    (
        "please try again later & access denied",
        "server-too-fast",
        "451 4.7.500 Access denied, please try again later",
    ),
    (
        "server busy. please try again later",
        "server-too-fast",
        "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)",
    ),
    (
        "starttls is required to send mail",
        "tls-required",
        "451 4.4.317 Cannot connect to remote server [Message=STARTTLS is required to send mail]",
    ),
    (
        "tlsa-invalid",
        "certificate-wrong",
        "550 5.7.323 tlsa-invalid: The domain failed DANE validation",
    ),
    (
        "certificate-expired",
        "certificate-wrong",
        "550 5.7.322 certificate-expired: Destination mail server's certificate is expired",
    ),
    (
        "delivery not authorized, message refused",
        "policy",
        "550 5.7.900 Delivery not authorized, message refused",
    ),
    (
        "policy violation detected",
        "attachment-forbidden",
        "550 5.0.350 Requested action not taken: policy violation detected (AS345)",
    ),
    (
        "system not accepting network messages",
        "system-closed",
        "432 4.3.2 System not accepting network messages",
    ),
    ("insufficient system resources", "system-full", "452 4.3.1 Insufficient system resources (TSTE)"),
    is_published=True,
)
_OUTLOOK_COM = answers(
    Provider.MICROSOFT,
    _POSTMASTER,
    (
        "our block list",
        "server-blocked",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: part of their network is on our block list",
    ),
    (
        "rate limited due to ip reputation",
        "server-reputation",
        "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)",
    ),
    ("550 & sc-001", "looks-like-spam", "550 SC-001 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    ("550 & sc-002", "server-reputation", "550 SC-002 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    ("550 & sc-003", "server-blocked", "550 SC-003 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    ("550 & sc-004", "bulk-complaints", "550 SC-004 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    ("550 & dy-001", "server-blocked", "550 DY-001 (COL004-MC1F1) We generally do not accept email from dynamic IP's."),
    ("550 & dy-002", "server-reputation", "550 DY-002 (COL004-MC1F1) The likely cause is a compromised server."),
    ("550 & ou-001", "server-listed", "550 OU-001 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    ("550 & ou-002", "looks-like-spam", "550 OU-002 (COL004-MC1F1) Mail rejected by Outlook.com for policy reasons."),
    (
        "421 & rp-001",
        "server-too-fast",
        "421 RP-001 (COL004-MC1F1) Unfortunately, some messages weren't sent: exceeded the rate limit.",
    ),
    ("421 & rp-002", "too-many-connections", "421 RP-002 (COL004-MC1F1) exceeded the connection limit for this IP."),
    ("421 & rp-003", "too-many-connections", "421 RP-003 (COL004-MC1F1) exceeded the limit of concurrent connections."),
    is_published=True,
)

ANSWERS_MICROSOFT = (*_OUTLOOK_COM, *_PUBLISHED)
"""In the order in which they are tried."""
