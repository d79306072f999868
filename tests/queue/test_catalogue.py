"""The catalogue of answers: each is recognised by its own words, and everything has a cause in both languages."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.queue.answers import Answer, Provider
from hongyan.queue.catalogue import ANSWERS, find_answer, plain_cause, provider_of
from hongyan.queue.causes import Cause
from hongyan.queue.classification import BounceClass
from hongyan.queue.outcome import Stage
from hongyan.queue.status_causes import CAUSES, STATUS_CAUSES, cause_of_status

_HOSTS = {
    Provider.TENCENT: "mx3.qq.com [203.0.113.1]",
    Provider.NETEASE: "163mx01.mxmail.netease.com [203.0.113.1]",
    Provider.ALIYUN: "mxw.mxhichina.com [203.0.113.1]",
    Provider.GOOGLE: "gmail-smtp-in.l.google.com [203.0.113.1]",
    Provider.MICROSOFT: "example-org.mail.protection.outlook.com [203.0.113.1]",
    Provider.YAHOO: "mta5.am0.yahoodns.net [203.0.113.1]",
    Provider.APPLE: "mx01.mail.icloud.com [203.0.113.1]",
    Provider.ANY: "mail.example.net [203.0.113.1]",
}


def code_of(sample: str) -> int | None:
    found = re.match(r"([45]\d\d) ", sample)
    return int(found[1]) if found else None


def status_of(sample: str) -> str:
    found = re.match(r"[45]\d\d ([45]\.\d{1,3}\.\d{1,3}) ", sample)
    return found[1] if found else ""


def test_there_are_answers_of_every_provider() -> None:
    count = Counter(answer.provider for answer in ANSWERS)
    assert len(ANSWERS) >= 200
    assert all(count[provider] >= 10 for provider in Provider)
    assert sum(answer.is_published for answer in ANSWERS) > len(ANSWERS) * 3 // 4


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.provider}-{'+'.join(answer.fragments)}")
def test_an_answer_is_found_by_its_own_sample_and_no_other_before_it(answer: Answer) -> None:
    assert find_answer(code_of(answer.sample), answer.sample, _HOSTS[answer.provider]) is answer


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.provider}-{'+'.join(answer.fragments)}")
def test_an_answer_says_where_it_is_from_and_what_it_means(answer: Answer) -> None:
    assert answer.cause in CAUSES
    assert answer.source.startswith("http") or not answer.is_published or answer.provider is Provider.ANY
    assert answer.fragments
    assert all(fragment == fragment.lower() and len(fragment) >= 5 for fragment in answer.fragments)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.name)
def test_a_cause_has_sentences_in_both_languages(cause: object) -> None:
    assert cause is CAUSES[cause.name]  # type: ignore[attr-defined]
    for english in (cause.english, cause.advice):  # type: ignore[attr-defined]
        assert english.isascii()
        assert english.endswith(".")
    for chinese in (cause.chinese, cause.advice_chinese):  # type: ignore[attr-defined]
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert chinese.endswith("。")


def test_each_code_of_rfc_3463_has_a_cause_of_its_own() -> None:
    details = {1: 9, 2: 5, 3: 6, 4: 8, 5: 6, 6: 6, 7: 8}
    for subject, count in details.items():
        assert str(subject) in STATUS_CAUSES
        assert all(f"{subject}.{detail}" in STATUS_CAUSES for detail in range(1, count))
    for registered in ("1.9", "1.10", "3.6", "5.6", "6.6", "6.10", *(f"7.{detail}" for detail in range(8, 31))):
        assert registered in STATUS_CAUSES, "IANA, SMTP Enhanced Status Codes"


def test_a_code_that_nobody_knows_means_what_its_subject_does() -> None:
    assert cause_of_status("5.1.999") == cause_of_status("4.1.0")
    assert cause_of_status("5.9.1") == cause_of_status("5.0.0") == cause_of_status("nonsense") == cause_of_status("")


@pytest.mark.parametrize(
    ("remote", "text", "provider"),
    [
        ("mx1.qq.com", "", Provider.TENCENT),
        ("mx1.qq.com.", "", Provider.TENCENT),
        ("MXBIZ1.QQ.COM [192.0.2.1]", "", Provider.TENCENT),
        ("evilqq.com", "", Provider.ANY),
        ("qq.com.example.net", "", Provider.ANY),
        ("", "550 5.1.1 no - gsmtp", Provider.GOOGLE),
        ("relay.example.net", "550 Ip frequency limited. https://service.mail.qq.com/detail/122/172", Provider.TENCENT),
        ("", "", Provider.ANY),
    ],
)
def test_a_provider_is_known_by_its_host_or_by_what_its_answers_carry(
    remote: str, text: str, provider: Provider
) -> None:
    assert provider_of(remote, text) is provider


def test_the_same_words_mean_what_their_code_says() -> None:
    remote = _HOSTS[Provider.NETEASE]
    assert plain_cause(451, "", "451 DT:SPM mx9, please try again", remote).name == "looks-like-spam-for-now"
    assert plain_cause(554, "", "554 DT:SPM mx9", remote).name == "looks-like-spam"


def test_another_servers_words_are_not_taken_for_a_providers() -> None:
    text = "550 Mailbox unavailable or access denied"
    assert plain_cause(550, "", text, "mx1.qq.com").name == "recipient-too-popular"
    assert plain_cause(550, "", text, "mail.example.net").name == "policy"


def test_a_code_that_says_little_gives_way_to_words() -> None:
    assert plain_cause(550, "5.7.1", "550 5.7.1 message rejected as spam", "mx.example.net").name == "looks-like-spam"
    assert plain_cause(550, "5.1.1", "550 5.1.1 spam", "mx.example.net").name == "mailbox-unknown"
    assert plain_cause(554, "5.0.0", "554 no", "mx.example.net").name == "unexplained"


def test_who_is_refused_for_good_is_not_told_to_wait() -> None:
    text = "550 Ip frequency limited"
    final, passing = plain_cause(550, "", text, "mx1.qq.com"), plain_cause(450, "", "450" + text[3:], "mx1.qq.com")
    assert final.name == passing.name == "server-too-fast"
    assert passing.advice.startswith("Wait")
    assert "not tried again" in final.advice
    assert "重发" in final.advice_chinese


@pytest.mark.parametrize("cause", Cause)
def test_what_this_server_found_out_has_a_cause(cause: Cause) -> None:
    assert plain_cause(None, cause.status, cause.line, "", Stage.ROUTE).name != "unexplained"


def test_what_expired_is_said_to_have_expired_whatever_was_answered_last() -> None:
    assert plain_cause(421, "4.4.7", f"{Cause.EXPIRED.line} (451 Greylisted)").name == "expired"


def test_a_class_that_the_catalogue_gives_fits_the_cause() -> None:
    for answer in ANSWERS:
        kind = CAUSES[answer.cause].kind
        assert kind is not BounceClass.UNKNOWN_DOMAIN or answer.cause.startswith("domain-")


@given(st.text(max_size=3000), st.text(max_size=400), st.integers(min_value=400, max_value=599))
def test_any_answer_has_a_cause(text: str, remote: str, code: int) -> None:
    assert plain_cause(code, "", text, remote).name in CAUSES
