"""What kind of refusal an answer is."""

from __future__ import annotations

import pytest

from hongyan.queue.causes import Cause
from hongyan.queue.classification import BounceClass, classify
from hongyan.queue.outcome import Stage

_ANSWERS = [
    (550, "5.1.1", "The email account that you tried to reach does not exist.", Stage.RECIPIENT, "unknown-user"),
    (550, "", "No such user here", Stage.RECIPIENT, "unknown-user"),
    (550, "5.7.1", "Recipient address rejected: user unknown in virtual table", Stage.RECIPIENT, "unknown-user"),
    (550, "5.2.1", "The email account that you tried to reach is disabled.", Stage.RECIPIENT, "unknown-user"),
    (550, "5.1.2", "Host not found", Stage.RECIPIENT, "unknown-domain"),
    (552, "5.2.2", "Mailbox full", Stage.RECIPIENT, "full"),
    (452, "4.2.2", "The email account is over quota", Stage.RECIPIENT, "full"),
    (552, "", "Requested action aborted", Stage.RECIPIENT, "full"),
    (552, "", "Requested action aborted", Stage.END, "too-large"),
    (552, "5.3.4", "Message size exceeds fixed maximum message size", Stage.MAIL, "too-large"),
    (554, "5.7.1", "Service unavailable; client host blocked using a list", Stage.GREETING, "blocked"),
    (554, "", "go away", Stage.GREETING, "blocked"),
    (550, "5.7.0", "Local policy violation", Stage.END, "blocked"),
    (550, "", "Message contains spam or virus-like words", Stage.END, "content"),
    (550, "", "This message was classified as SPAM", Stage.END, "spam"),
    (554, "", "DT:SPM 163 smtp1", Stage.END, "spam"),
    (550, "5.7.26", "This mail has been blocked because the sender is unauthenticated", Stage.END, "unauthenticated"),
    (550, "", "rejected by the DMARC policy of the domain", Stage.END, "unauthenticated"),
    (451, "4.7.1", "Greylisting in action, please come back later", Stage.RECIPIENT, "greylisted"),
    (450, "4.2.0", "Recipient address rejected: Greylisted, see the page", Stage.RECIPIENT, "greylisted"),
    (450, "4.2.1", "The user is receiving mail at a rate that prevents delivery", Stage.RECIPIENT, "rate-limited"),
    (421, "4.7.28", "Our system has detected something", Stage.END, "rate-limited"),
    (421, "", "Too many concurrent SMTP connections", Stage.GREETING, "rate-limited"),
    (450, "", "Connection frequency limited", Stage.MAIL, "rate-limited"),
    (554, "5.6.0", "Malformed header", Stage.END, "content"),
    (530, "5.7.10", "Encryption needed", Stage.MAIL, "tls"),
    (None, "4.4.1", "No connection to the mail server (timed out)", Stage.CONNECT, "route"),
    (None, "4.7.5", "An encrypted connection was required", Stage.TLS, "tls"),
    (451, "4.3.0", "Try later", Stage.END, "temporary"),
    (421, "", "Service not available, closing", Stage.GREETING, "temporary"),
    (554, "5.0.0", "Transaction failed", Stage.END, "other"),
]


@pytest.mark.parametrize(("code", "enhanced", "text", "stage", "expected"), _ANSWERS)
def test_an_answer_has_a_class(code: int | None, enhanced: str, text: str, stage: Stage, expected: str) -> None:
    assert classify(code, enhanced, text, stage) is BounceClass(expected)


def test_only_a_permanent_answer_is_hard() -> None:
    assert classify(450, "4.1.1", "unverified address: user unknown", Stage.RECIPIENT) is BounceClass.TEMPORARY
    assert [one for one in BounceClass if one.is_hard] == [BounceClass.UNKNOWN_USER, BounceClass.UNKNOWN_DOMAIN]


def test_a_bare_550_proves_no_unknown_user() -> None:
    assert not classify(550, "", "Mailbox unavailable or access refused", Stage.RECIPIENT).is_hard


def test_the_senders_own_words_coming_back_are_not_read() -> None:
    text = "<spam-dmarc@quota.example>: 550 see https://spam.example/full User unknown"
    assert classify(550, "", text, Stage.RECIPIENT) is BounceClass.UNKNOWN_USER


def test_our_own_causes_are_classified() -> None:
    classes = {cause: classify(None, cause.status, cause.line, Stage.ROUTE) for cause in Cause}
    assert classes[Cause.NO_SUCH_DOMAIN] is classes[Cause.NULL_MX] is BounceClass.UNKNOWN_DOMAIN
    assert classes[Cause.DNS_UNAVAILABLE] is classes[Cause.TOO_MANY_HOPS] is BounceClass.ROUTE
    assert classes[Cause.TLS_FAILED] is classes[Cause.NO_REQUIRETLS] is BounceClass.TLS
    assert classes[Cause.TOO_LARGE] is BounceClass.TOO_LARGE
    assert not any(kind.is_about_us for kind in classes.values())
