"""What Yahoo and AOL, Apple's iCloud, and programs that many servers run answer, our own words among them."""

from __future__ import annotations

__all__ = ["ANSWERS_OTHERS"]

from hongyan.queue.answers import Provider, answers

_YAHOO = "https://senders.yahooinc.com/smtp-error-codes/"
_APPLE = "https://support.apple.com/102322"
_REPORTS = "reports of refused senders, gathered by github.com/sisimai"

_YAHOO_PUBLISHED = answers(
    Provider.YAHOO,
    _YAHOO,
    (
        "unexpected volume or user complaints",
        "server-reputation",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
    ),
    (
        "will be permanently deferred",
        "server-blocked",
        "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.",
    ),
    (
        "unresolvable rfc.5321 from domain",
        "sender-domain-unknown",
        "451 Message temporarily deferred due to unresolvable RFC.5321 from domain.",
    ),
    (
        "requires all senders to authenticate",
        "unauthenticated",
        "550 5.7.9 the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM.",
    ),
    (
        "not accepted for policy reasons & [ph01]",
        "looks-like-spam",
        "554 Message not allowed - [PH01] Email not accepted for policy reasons.",
    ),
    (
        "554 & 5.7.9 & not accepted for policy reasons",
        "dmarc-failed",
        "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
    ),
    (
        "spamhaus",
        "server-listed",
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
    ),
    ("user is receiving mail too quickly", "recipient-too-popular", "450 User is receiving mail too quickly"),
    ("relaying denied", "relay-denied", "550 relaying denied for <goose@yahoo.com>"),
    (
        "max message per connection reached",
        "too-many-connections",
        "421 Max message per connection reached, closing transmission channel",
    ),
    (
        "resources temporarily unavailable",
        "temporary",
        "451 Resources temporarily unavailable. Please try again later [#4.16.1].",
    ),
    is_published=True,
)
_YAHOO_REPORTED = answers(
    Provider.YAHOO,
    _REPORTS,
    (
        "this user doesn't have a",
        "mailbox-unknown",
        "554 delivery error: dd This user doesn't have a yahoo.com account",
    ),
    ("is no longer valid", "mailbox-closed", "554 delivery error: dd goose@yahoo.com is no longer valid."),
    ("this mailbox is disabled", "mailbox-closed", "554 30 Sorry, this mailbox is disabled (554.30)."),
    ("mailbox not found", "mailbox-unknown", "552 1 Requested mail action aborted, mailbox not found"),
    ("headers are not rfc compliant", "message-malformed", "554 Email rejected: headers are not RFC compliant"),
    is_published=False,
)
_APPLE_REPORTED = answers(
    Provider.APPLE,
    f"{_APPLE} (rules), {_REPORTS} (texts)",
    ("dmarc policy", "dmarc-failed", "554 5.7.1 Your message was rejected due to example.org's DMARC policy."),
    (
        "failing both spf and dkim",
        "unauthenticated",
        "554 5.7.1 [HME1] This message was blocked for failing both SPF and DKIM authentication checks.",
    ),
    ("due to local policy", "looks-like-spam", "550 5.7.1 [CS01] Message rejected due to local policy."),
    (
        "domain present in the spamhaus",
        "link-listed",
        "550 5.7.1 Your email was rejected due to having a domain present in the Spamhaus DBL",
    ),
    (
        "listing in spamhaus",
        "server-listed",
        "550 5.7.1 Mail from IP 192.0.2.1 was rejected due to listing in Spamhaus SBL.",
    ),
    (
        "proofpoint.com/dnsbl-lookup",
        "server-blocked",
        "550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1",
    ),
    ("not accepting connections", "server-blocked", "554 ci74p00im-smtpin001.me.com ESMTP not accepting connections"),
    ("recipient no longer on server", "mailbox-moved", "550 5.1.6 recipient no longer on server: goose@icloud.com"),
    ("user is over quota", "mailbox-full", "552 5.2.2 <goose@icloud.com>: user is over quota"),
    ("inactive email address", "mailbox-closed", "550 5.1.1 <goose@icloud.com>: inactive email address"),
    ("unknown or illegal alias", "mailbox-unknown", "550 5.1.1 unknown or illegal alias: goose@icloud.com"),
    ("user does not exist", "mailbox-unknown", "550 5.1.1 <goose@icloud.com>: user does not exist"),
    (
        "deferred due to excessive volume",
        "recipient-too-popular",
        "421 4.7.1 Messages to goose@icloud.com deferred due to excessive volume. Try again later",
    ),
    is_published=False,
)
_POSTFIX = answers(
    Provider.ANY,
    "https://www.postfix.org/postconf.5.html",
    (
        "greylisted",
        "first-contact",
        "450 4.2.0 <goose@example.com>: Recipient address rejected: Greylisted for 5 minutes",
    ),
    ("greylisting", "first-contact", "451 4.7.1 Greylisting in action, please come back later"),
    (
        "recipient address rejected: user unknown",
        "mailbox-unknown",
        "550 5.1.1 <goose@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
    ("relay access denied", "relay-denied", "554 5.7.1 <goose@example.com>: Relay access denied"),
    (
        "sender address rejected: domain not found",
        "sender-domain-unknown",
        "450 4.1.8 <ann@example.org>: Sender address rejected: Domain not found",
    ),
    (
        "client host rejected: cannot find your",
        "ptr-missing",
        "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
    ),
    ("helo command rejected", "helo-refused", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname"),
    (
        "blocked using",
        "server-listed",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    ),
    ("message size exceeds", "message-too-large", "552 5.3.4 Message size exceeds fixed limit"),
    ("must issue a starttls command", "tls-required", "530 5.7.0 Must issue a STARTTLS command first"),
    is_published=True,
)
_PROGRAMS = answers(
    Provider.ANY,
    "texts of Dovecot, Exim, rspamd, ClamAV and Coremail as they are installed",
    (
        "mailbox for user is full",
        "mailbox-full",
        "552 5.2.2 <goose@example.com> Quota exceeded (mailbox for user is full)",
    ),
    ("user doesn't exist", "mailbox-unknown", "550 5.1.1 <goose@example.com> User doesn't exist: goose@example.com"),
    ("unrouteable address", "mailbox-unknown", "550 Unrouteable address"),
    ("relay not permitted", "relay-denied", "550 relay not permitted"),
    ("spam message rejected", "looks-like-spam", "554 5.7.1 Spam message rejected"),
    ("infected", "attachment-forbidden", "554 5.7.1 Message infected: Eicar-Test-Signature"),
    ("virus found", "attachment-forbidden", "552 Virus found"),
    ("space not enough", "mailbox-full", "552 mail box space not enough account space not enough"),
    ("user not exist", "mailbox-unknown", "550 user not exist (in reply to RCPT TO command)"),
    ("no such user", "mailbox-unknown", "550 No such user"),
    ("mailbox is full", "mailbox-full", "552 mailbox is full"),
    is_published=False,
)
_OURS = answers(
    Provider.ANY,
    "hongyan/queue/causes.py",
    (
        "held: this server is for trying out",
        "held-here",
        "Held: this server is for trying out and sends nothing to other servers",
    ),
    is_published=True,
)

ANSWERS_OTHERS = (*_YAHOO_PUBLISHED, *_YAHOO_REPORTED, *_APPLE_REPORTED, *_POSTFIX, *_PROGRAMS, *_OURS)
"""In the order in which they are tried, provider by provider."""
