"""Everything that the command line says, it says in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hongyan.audit.states import DeliveryState
from hongyan.cli import words
from hongyan.cli.chinese import CATALOGUE
from hongyan.domains.dns_records import Need
from hongyan.engines.upkeep.verify import Fault
from hongyan.message.dsn import Action
from hongyan.queue.outcome import Stage
from hongyan.store.accounts import AccountState, Role
from hongyan.store.queue import RecipientState
from hongyan.store.timelines import Step
from tests.cli.sentences import errors, options, own_sentences

_PLACES = re.compile(r"\{(\w+)\}")
_CHINESE = re.compile("[\u4e00-\u9fff]")

# The words of protocols and of files are the same in every language.
SAME = {"UID", "true", "false", "IMAP.", "POP3."}


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    forget()
    yield
    forget()


def forget() -> None:
    words._catalogue.cache_clear()
    words._patterns.cache_clear()


def test_every_sentence_of_a_command_has_its_translation() -> None:
    kinds = (Need, Fault, AccountState, Role, RecipientState, Step, DeliveryState, Stage, Action)
    states = {member.value for kind in kinds for member in kind} - {Step.REFUSED.value}
    wanted = {sentence for sentence in own_sentences() if "7" not in sentence}
    assert sorted((wanted | states) - CATALOGUE.keys()) == []


def test_every_error_that_can_reach_an_operator_has_its_translation(chinese: None) -> None:
    samples = errors() | {sentence for sentence in own_sentences() if "7" in sentence}
    untranslated = [sample for sample in sorted(samples) if is_said(sample) and words.translate(sample) == sample]
    assert untranslated == []


def is_said(sample: str) -> bool:
    """Whether a sample is a sentence, and not the value of a record or nothing but samples."""
    return bool(re.search(r"[A-Za-z]{2,} [a-z]", sample)) and not sample.startswith(("v=", "0 ", "3 "))


def test_every_setting_is_described_in_chinese(chinese: None) -> None:
    untranslated = [text for text in sorted(options()) if text not in SAME and words.translate(text) == text]
    assert untranslated == []


def test_a_translation_puts_in_what_its_sentence_does() -> None:
    for english, translated in CATALOGUE.items():
        assert set(_PLACES.findall(english)) == set(_PLACES.findall(translated)), english


def test_a_translation_is_chinese() -> None:
    foreign = {english for english, translated in CATALOGUE.items() if not _CHINESE.search(translated)}
    assert {english for english in foreign - SAME if not _PLACES.search(english)} == set()


@pytest.mark.usefixtures("chinese")
def test_finished_sentences_are_recognised_with_what_was_put_in() -> None:
    assert words.translate("A password has at least 8 characters.") == "密码至少有 8 个字符。"
    said = "x.toml:3: server.data is a text, and not the number 3."
    assert words.translate(said) == "x.toml:3：server.data 应为文本，而不是数字 3。"
    assert words.translate("queue: limits of the queue are 1 or more.") == "queue：队列的各项上限至少为 1。"
    assert words.translate("Something nobody knows.") == "Something nobody knows."


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_environment(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words.language() == language
