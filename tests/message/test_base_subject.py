"""The base subject is what the grammar of RFC 5256 §2.1 says, and costs no more than its length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.base_subject import find_base_subject


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("hello", "hello", False),
        ("", "", False),
        ("   ", "", False),
        ("Re: hello", "hello", True),
        ("RE : hello", "hello", True),
        ("re: Re: FW: fwd: hello", "hello", True),
        ("Re[2]: hello", "hello", True),
        ("Re [list] : hello", "hello", True),
        ("[list] hello", "hello", False),
        ("[list] Re: [tag] hello", "hello", True),
        ("[a][b] [c]", "[c]", False),
        ("hello (fwd)", "hello", True),
        ("hello (FWD) (fwd)  ", "hello", True),
        ("[fwd: hello]", "hello", True),
        ("[Fwd: [fwd: Re: hello] (fwd)]", "hello", True),
        ("[fwd: hello", "[fwd: hello", False),
        ("[fwd: hello] there", "there", False),
        ("a\t b\r\n c", "a b c", False),
        ("Re:", "", True),
        ("reply: hello", "reply: hello", False),
        ("Ref: hello", "Ref: hello", False),
        ("(fwd) hello", "(fwd) hello", False),
        ("[]", "[]", False),
        ("re [[x]]: y", "re [[x]]: y", False),
        ("[un[balanced] Re: x", "[un[balanced] Re: x", False),
    ],
)
def test_prefixes_tags_and_trailers_are_taken_off(subject: str, base: str, is_reply: bool) -> None:
    assert find_base_subject(subject) == (base, is_reply)


_PIECES = st.sampled_from(["re", "fw", "fwd", ":", " ", "[", "]", "x", "(fwd)", "[fwd:", "[a]", "Re: ", "\t"])


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_it_is_what_the_steps_of_the_rfc_lead_to(subject: str) -> None:
    assert find_base_subject(subject) == _step_by_step(subject)


def _step_by_step(subject: str) -> tuple[str, bool]:
    """RFC 5256 §2.1, step by step, on copies."""
    text = re.sub(r"[ \t\r\n]+", " ", subject)
    reply = False
    while True:
        while trailer := re.search(r"(?:\(fwd\)| )\Z", text, re.IGNORECASE):  # 2
            reply = reply or trailer[0] != " "
            text = text[: trailer.start()]
        while True:  # 3 to 5
            if leader := re.match(r" |(?:\[[^\[\]]*\] *)*(?:re|fwd?) *(?:\[[^\[\]]*\] *)?:", text, re.IGNORECASE):
                reply = reply or leader[0] != " "
                text = text[leader.end() :]
            elif (blob := re.match(r"\[[^\[\]]*\] *", text)) and blob.end() < len(text):
                text = text[blob.end() :]
            else:
                break
        if not (text[:5].lower() == "[fwd:" and text[-1] == "]"):  # 6
            return text, reply
        text, reply = text[5:-1], True


@pytest.mark.parametrize(
    "subject", ["[" * 9000, "[]" * 5000, "re:" * 4000, "(fwd)" * 2000, "[fwd:" * 2000 + "]" * 2000, "re [a]" * 2000]
)
def test_a_subject_that_repeats_itself_is_read_to_the_end(subject: str) -> None:
    base = find_base_subject(subject)
    assert find_base_subject(base.text).text == base.text
