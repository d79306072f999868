"""What Gmail and Google Workspace answer."""

from __future__ import annotations

__all__ = ["ANSWERS_GOOGLE"]

from hongyan.queue.answers import Provider, answers

_LIST = "https://support.google.com/a/answer/3726730"
_GUIDE = "https://support.google.com/mail/answer/81126"

ANSWERS_GOOGLE = answers(
    Provider.GOOGLE,
    f"{_LIST} and {_GUIDE}",
    (
        "the email account that you tried to reach does not exist",
        "mailbox-unknown",
        "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking - gsmtp",
    ),
    (
        "account that you tried to reach is disabled",
        "mailbox-closed",
        "550 5.2.1 The email account that you tried to reach is disabled - gsmtp",
    ),
    (
        "account that you tried to reach is inactive",
        "mailbox-closed",
        "550 5.2.1 The email account that you tried to reach is inactive - gsmtp",
    ),
    (
        "is over quota",
        "mailbox-full",
        "452 4.2.2 The email account that you tried to reach is over quota - gsmtp",
    ),
    (
        "inbox is out of storage space",
        "mailbox-full",
        "452 4.2.2 The recipient's inbox is out of storage space - gsmtp",
    ),
    (
        "is receiving mail too quickly",
        "recipient-too-popular",
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly - gsmtp",
    ),
    (
        "rate that prevents additional messages",
        "recipient-too-popular",
        "450 4.2.1 The user is receiving mail at a rate that prevents additional messages from being delivered - gsmtp",
    ),
    (
        "peak smtp relay limit exceeded",
        "server-too-fast",
        "450 4.2.1 Peak SMTP relay limit exceeded for customer - gsmtp",
    ),
    ("daily smtp relay", "sender-too-fast", "550 5.4.5 Daily SMTP relay limit exceeded for user - gsmtp"),
    (
        "daily user sending limit exceeded",
        "sender-too-fast",
        "550 5.4.5 Daily user sending limit exceeded - gsmtp",
    ),
    ("daily sending quota exceeded", "sender-too-fast", "550 5.4.5 Daily sending quota exceeded - gsmtp"),
    (
        "spf record of the sending domain has one or more suspicious",
        "spf-failed",
        "550 5.7.24 The SPF record of the sending domain has one or more suspicious entries - gsmtp",
    ),
    (
        "requires all senders to authenticate with either spf or dkim",
        "unauthenticated",
        "550 5.7.26 This mail is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM",
    ),
    (
        "spf record with a hard fail policy",
        "spf-failed",
        "550 5.7.26 The MAIL FROM domain [example.org] has an SPF record with a hard fail policy (-all) - gsmtp",
    ),
    (
        "is not accepted due to domain's dmarc policy",
        "dmarc-failed",
        "550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy - gsmtp",
    ),
    (
        "fails to pass authentication checks",
        "unauthenticated",
        "550 5.7.26 This message does not have authentication information or fails to pass authentication checks",
    ),
    (
        "large senders to authenticate with spf",
        "spf-failed",
        "550 5.7.27 SPF does not pass. Gmail requires all large senders to authenticate with SPF - gsmtp",
    ),
    (
        "senders to authenticate their email with spf",
        "spf-failed",
        "421 4.7.27 Gmail requires all bulk email senders to authenticate their email with SPF - gsmtp",
    ),
    (
        "large senders to authenticate with dkim",
        "dkim-failed",
        "550 5.7.30 DKIM does not pass. Gmail requires all large senders to authenticate with DKIM - gsmtp",
    ),
    (
        "senders to authenticate their email with dkim",
        "dkim-failed",
        "421 4.7.30 Gmail requires all email bulk senders to authenticate their email with DKIM - gsmtp",
    ),
    (
        "aligned with either the authenticated spf or dkim",
        "dmarc-failed",
        "421 4.7.32 The From: header isn't aligned with either the authenticated SPF or DKIM organizational domain",
    ),
    (
        "very low reputation of the sending ip",
        "server-reputation",
        "550 5.7.1 suspicious due to the very low reputation of the sending IP address - gsmtp",
    ),
    (
        "very low reputation of the sending domain",
        "server-reputation",
        "550 5.7.1 likely suspicious due to the very low reputation of the sending domain - gsmtp",
    ),
    (
        "unusual rate of unsolicited mail",
        "server-too-fast",
        "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address - gsmtp",
    ),
    (
        "unusual rate of mail & dkim domain",
        "domain-too-fast",
        "421 4.7.28 Gmail has detected an unusual rate of mail originating from your DKIM domain [example.org] - gsmtp",
    ),
    (
        "unusual rate of mail & spf domain",
        "domain-too-fast",
        "421 4.7.28 Gmail has detected an unusual rate of mail originating from your SPF domain [example.org] - gsmtp",
    ),
    (
        "unusual rate of mail & url domains",
        "link-listed",
        "421 4.7.28 Gmail has detected an unusual rate of mail containing one of your URL domains - gsmtp",
    ),
    (
        "unusual rate of mail",
        "server-too-fast",
        "421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address - gsmtp",
    ),
    (
        "with the same message-id",
        "message-malformed",
        "421 4.7.28 this message exceeded its quota for sending messages with the same Message-ID: - gsmtp",
    ),
    (
        "due to the nature of the content",
        "looks-like-spam",
        "421 4.7.0 This message is suspicious due to the nature of the content or the links within - gsmtp",
    ),
    (
        "likely unsolicited mail",
        "looks-like-spam",
        "550 5.7.1 Our system has detected that this message is likely unsolicited mail - gsmtp",
    ),
    (
        "ip not in whitelist for rcpt domain",
        "not-registered",
        "421 4.7.0 IP not in whitelist for RCPT domain, closing connection - gsmtp",
    ),
    (
        "tls required for rcpt domain",
        "tls-required",
        "421 4.7.0 TLS required for RCPT domain, closing connection - gsmtp",
    ),
    (
        "senders to use tls/ssl for smtp",
        "tls-required",
        "421 4.7.29 Gmail requires all bulk email senders to use TLS/SSL for SMTP connections - gsmtp",
    ),
    (
        "a ptr record",
        "ptr-missing",
        "550 5.7.25 The IP address sending this message does not have a PTR record setup - gsmtp",
    ),
    (
        "does not match the ip address of the hostname",
        "ptr-missing",
        "550 5.7.25 The sending IP does not match the IP address of the hostname specified in the pointer record",
    ),
    (
        "does not meet ipv6 sending guidelines",
        "ptr-missing",
        "550 5.7.1 This message does not meet IPv6 sending guidelines regarding PTR records and authentication - gsmtp",
    ),
    (
        "not authorized to send email directly to our servers",
        "server-blocked",
        "550 5.7.1 The IP you're using to send mail is not authorized to send email directly to our servers - gsmtp",
    ),
    ("helo/ehlo argument", "helo-refused", "501 5.5.4 HELO/EHLO argument is invalid - gsmtp"),
    (
        "illegal attachment on your message",
        "attachment-forbidden",
        "552 5.7.0 Our system detected an illegal attachment on your message - gsmtp",
    ),
    (
        "presents a potential security issue",
        "attachment-forbidden",
        "552 5.7.0 This message was blocked because its content presents a potential security issue - gsmtp",
    ),
    (
        "message header size limit",
        "message-malformed",
        "552 5.3.4 Your message exceeded Google's message header size limits - gsmtp",
    ),
    (
        "exceeds google's limit",
        "message-too-large",
        "552 5.3.4 The number of attachments (600) exceeds Google's limit of 500 attachments - gsmtp",
    ),
    (
        "exceeded google's message size limit",
        "message-too-large",
        "552 5.3.4 Your message exceeded Google's message size limits - gsmtp",
    ),
    (
        "too many recipients",
        "too-many-recipients",
        "452 4.5.3 Your message has too many recipients - gsmtp",
    ),
    (
        "has a policy that prohibited the mail",
        "policy",
        "550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail - gsmtp",
    ),
    (
        "email policy. - gcdp",
        "policy",
        "550 5.7.1 This message violates example.com email policy. - gcdp abc123 - gsmtp",
    ),
    (
        "missing a valid address in the from: header",
        "message-malformed",
        "550 5.7.1 Messages missing a valid address in the From: header are not accepted - gsmtp",
    ),
    (
        "multiple addresses in from: header",
        "message-malformed",
        "550 5.7.1 Messages with multiple addresses in From: header are not accepted - gsmtp",
    ),
    (
        "missing a valid message-id: header",
        "message-malformed",
        "550 5.7.1 Messages missing a valid Message-ID: header are not accepted - gsmtp",
    ),
    (
        "is not rfc 5322 compliant",
        "message-malformed",
        "550 5.7.1 This message is not RFC 5322 compliant because it has duplicate headers - gsmtp",
    ),
    ("mail message is malformed", "message-malformed", "554 5.6.0 Mail message is malformed. Not accepted - gsmtp"),
    (
        "is not a valid rfc 5321 address",
        "address-syntax",
        "553 5.1.3 The recipient address is not a valid RFC 5321 address - gsmtp",
    ),
    ("message exceeded 50 hops", "loop", "554 5.4.6 Message exceeded 50 hops, this may indicate a mail loop - gsmtp"),
    ("mail relay denied", "relay-denied", "550 5.7.0 Mail relay denied [192.0.2.1] - gsmtp"),
    ("invalid credentials for relay", "login-failed", "550 5.7.1 Invalid credentials for relay [192.0.2.1] - gsmtp"),
    ("mail sending denied", "account-disabled", "550 5.7.0 Mail Sending denied - gsmtp"),
    (
        "temporary system problem",
        "temporary",
        "421 4.3.0 Temporary System Problem. Try again later - gsmtp",
    ),
    ("server busy", "temporary", "421 4.4.5 Server busy, try again later - gsmtp"),
    (
        "try again later, closing connection",
        "temporary",
        "421 4.7.0 Try again later, closing connection. (EHLO) - gsmtp",
    ),
    is_published=True,
)
"""In the order in which they are tried."""
