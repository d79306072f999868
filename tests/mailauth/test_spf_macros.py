"""Macro strings: the examples of RFC 7208 §7.4, and what records do to make trouble with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.spf_macros import (
    MAX_NAME,
    MacroFault,
    MacroString,
    is_askable,
    parse_domain_spec,
    parse_macro_string,
)

FACTS = {
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "i": "192.0.2.3",
    "p": "mx.example.org",
    "v": "in-addr",
    "h": "mx.example.org",
}
NAMES = "a.example a.example. %{d} x%{i} %{d}.x a.b%% a%_ a%- _x.a-b a.xn--p1ai a.1a a.b1 a.1-1 foo:bar/baz.a-b .com"
NO_NAMES = "museum museum. a. a.. a.123 a.-com a.com- a.c_m a.com:25 %{d}x %{d}. %{d}.1 a.%%2"
NO_MACROS = r"% %d %{ %{} %{d %{e} %{dd} %{d2x} %{rd} %{d0} %{d000r} %{d-r} %(d) a%"
IPV6_FACTS = FACTS | {"i": "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1", "v": "ip6"}


def expand(text: str, facts: dict[str, str] = FACTS) -> str:
    return parse_macro_string(text, is_explanation=True).expand(facts, 1000)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ],
)
def test_the_examples_of_the_rfc(text: str, expanded: str) -> None:
    assert expand(text) == expanded


def test_an_ipv6_address_is_spelled_in_nibbles() -> None:
    expanded = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    assert expand("%{ir}.%{v}._spf.%{d2}", IPV6_FACTS) == expanded


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%%", "%"),
        ("%_", " "),
        ("%-", "%20"),
        ("%%{d}", "%{d}"),
        ("%{L}", "a%2Bb%40c%20-._~%26"),
        ("%{l}", "a+b@c -._~&"),
        ("%{l+-}", "a.b@c .._~&"),
        ("%{l1+}", "b@c -._~&"),
        ("%{D}", "email.example.com"),
        ("%{dR}", "com.example.email"),
        ("%{d0002}", "example.com"),
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{d.-+,/_=}", "email.example.com"),
        ("", ""),
    ],
)
def test_the_smaller_print(text: str, expanded: str) -> None:
    assert expand(text, FACTS | {"l": "a+b@c -._~&"}) == expanded


@pytest.mark.parametrize(
    "text",
    [*NO_MACROS.split(), "%{d }", "\0", "\x7f", "\u00e9"],
)
def test_what_is_no_macro_is_a_fault(text: str) -> None:
    with pytest.raises(MacroFault):
        parse_macro_string(text)


@pytest.mark.parametrize("letter", "crtCRT")
def test_three_letters_are_for_explanations_only(letter: str) -> None:
    assert parse_macro_string(f"%{{{letter}}}", is_explanation=True).letters == {letter.lower()}
    with pytest.raises(MacroFault):
        parse_macro_string(f"%{{{letter}}}")


@pytest.mark.parametrize(
    "text",
    NAMES.split(),
)
def test_names_that_a_term_may_have(text: str) -> None:
    assert parse_domain_spec(text).parts


@pytest.mark.parametrize(
    "text",
    ["", "a b.com", *NO_NAMES.split()],
)
def test_names_that_no_term_may_have(text: str) -> None:
    with pytest.raises(MacroFault):
        parse_domain_spec(text)


def name(text: str, **facts: str) -> str | None:
    return parse_domain_spec(text).expand_name(FACTS | facts)


def test_a_name_loses_labels_on_the_left_until_it_fits() -> None:
    label = "x" * 60
    long = ".".join([label] * 6)
    assert name("%{o}", o=long) == ".".join([label] * 4)
    assert name("%{l}.%{o}.example.com", o=long) == ".".join([label] * 3) + ".example.com"
    exact = ".".join(["x" * 63, "x" * 63, "x" * 63, "x" * 61])
    assert len(exact) == MAX_NAME
    assert name("%{o}", o=exact) == exact
    assert name("%{o}", o=f"q.{exact}") == exact
    assert name("y%{o}", o=exact) == exact[64:], "the label on the left is lost as a whole"
    assert name("%{o}", o=f"q.{exact}.") == exact
    assert name("%{o}", o=f"y{exact}") == exact[64:]
    assert name("%{o}", o=f"{exact}y") == exact[64:] + "y"


@pytest.mark.parametrize(
    "value", ["", ".", "a..b", ".a", "one", "a.", "a b.c", "é.example", "a.\n", "x" * 64 + ".example", "y" * 300]
)
def test_a_name_that_cannot_be_is_none(value: str) -> None:
    assert name("%{h}", h=value) is None


def test_names_of_several_labels_and_at_most_253_characters_can_be_asked_for() -> None:
    assert is_askable("a." * 126 + "a")
    assert not is_askable("a." * 126 + "ab")
    assert not is_askable("a")


def test_a_final_dot_is_not_part_of_the_name() -> None:
    assert name("a.example.com.") == "a.example.com"
    assert name("%{h}", h="a.example.com.") == "a.example.com"


def test_a_bomb_of_macros_costs_no_more_than_what_is_kept() -> None:
    bomb = parse_domain_spec("%{s}" * 1000 + ".example.com")
    text = parse_macro_string("%{s}" * 1000, is_explanation=True)
    facts = FACTS | {"s": ".".join(["a"] * 150)}
    expanded = bomb.expand_name(facts)
    assert expanded is not None
    assert len(expanded) <= MAX_NAME
    assert len(text.expand(facts, 400)) == 400


@given(st.text(st.sampled_from("%{}drlsivhpDS.-+02 _a"), max_size=60), st.text(max_size=300))
def test_whatever_is_a_macro_string_gives_a_name_that_can_be_asked_for_or_none(text: str, value: str) -> None:
    try:
        spec = parse_macro_string(text)
    except MacroFault:
        return
    expanded = spec.expand_name(dict.fromkeys("slodipvh", value))
    assert expanded is None or is_askable(expanded)
    assert len(spec.expand(dict.fromkeys("slodipvh", value), 100)) <= 100


def test_a_string_knows_its_macros() -> None:
    assert parse_macro_string("%{D2}x%%%{ir}").letters == {"d", "i"}
    assert MacroString(("plain.example",)).letters == frozenset()
