"""What POP3 says to people has its words in Chinese: whatever stands in the code is there."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from hongyan.servers import pop3 as session
from hongyan.wire.pop3 import server as core
from hongyan.wire.pop3.languages import in_chinese

_SAYING = {"_CommandFault", "_ok", "_fault", "_say_no", "_refuse", "_error"}
_ENGLISH_ONLY = {"en We speak English"}


def _sentences(module: ModuleType) -> set[str]:
    """Return the texts that are handed to what says them."""
    calls = (node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call))
    return {
        part.value
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in _SAYING
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value.strip()
    } - _ENGLISH_ONLY


@pytest.mark.parametrize("sentence", sorted(_sentences(core) | _sentences(session)))
def test_each_sentence_has_its_words(sentence: str) -> None:
    text = sentence.partition("] ")[2] or sentence
    said = in_chinese(f"1{text}" if text.startswith(" ") else text)
    assert not said.isascii()


def test_numbers_and_addresses_keep_their_places() -> None:
    assert in_chinese("3 messages (120 octets)") == "3 封邮件（120 字节）"
    assert in_chinese("Too many failed logins, try again in 15 minutes.") == "登录失败次数过多，请 15 分钟后再试。"
    asked = "This app password or certificate is for other services than POP3: https://mail.hongyan.test/help?a=1"
    assert in_chinese(asked) == "此授权码或证书不适用于 POP3：https://mail.hongyan.test/help?a=1"


def test_what_has_no_words_stays_as_it_is() -> None:
    assert in_chinese("1 19") == "1 19"
    assert in_chinese("Something new") == "Something new"
