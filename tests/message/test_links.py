"""Links that do not lead where they seem to."""

from __future__ import annotations

import pytest

from hongyan.message.links import Suspicion, judge_link, read_target, show_host, web_host


@pytest.mark.parametrize(
    ("text", "target", "suspicions"),
    [
        ("https://www.bank.example/login", "https://bank.example/login", []),
        ("bank.example", "https://click.bank.example/?u=1", []),
        ("www.bank.com.cn", "https://evil.com.cn/", [Suspicion.OTHER_HOST]),
        ("bank.example", "https://bank.example.evil.test/", [Suspicion.OTHER_HOST]),
        ("「https://bank.example」", "https://evil.test/", [Suspicion.OTHER_HOST]),
        ("report.pdf", "https://files.example/", []),
        ("Click here", "https://evil.test/", []),
        ("Version 1.2.3", "https://evil.test/", []),
        ("x", "https://bank.example@evil.test/", [Suspicion.USER_INFO]),
        ("x", "https://bank.example%40evil.test/", None),
        ("x", "http://192.0.2.1/", [Suspicion.ADDRESS]),
        ("x", "http://3221225985/", [Suspicion.ADDRESS]),
        ("x", "http://0xc0.0x00.0x02.0x01/", [Suspicion.ADDRESS]),
        ("x", "http://[2001:db8::1]/", [Suspicion.ADDRESS]),
        ("x", "https://аррӏе.com/", [Suspicion.LOOK_ALIKE]),
        ("x", "https://xn--80ak6aa92e.com/", [Suspicion.LOOK_ALIKE]),
        ("x", "https://paypаl.com/", [Suspicion.MIXED_SCRIPTS]),
        ("x", "https://例子.中国/", []),
        ("x", "https://中文abc.cn/", []),
        ("x", "https://пример.рф/", []),
        ("x", "mailto:ann@bank.example", []),
    ],
)
def test_a_link_is_judged_by_what_it_shows_and_where_it_leads(
    text: str, target: str, suspicions: list[Suspicion] | None
) -> None:
    link = judge_link(text, target)
    if suspicions is None:
        assert web_host(target) != "bank.example"
    elif suspicions:
        assert link is not None
        assert list(link.suspicions) == suspicions
    else:
        assert link is None


def test_a_host_is_shown_in_its_own_script_only_if_that_misleads_nobody() -> None:
    assert show_host("xn--fsqu00a.example") == "例子.example"
    assert show_host("xn--80ak6aa92e.com") == "xn--80ak6aa92e.com"


@pytest.mark.parametrize(
    "href", ["javascript:x", "data:text/html,x", "file:///x", "//x.y/z", "x", "", "https:", "http://%00/"]
)
def test_a_link_leads_to_the_web_a_mailbox_or_a_telephone(href: str) -> None:
    assert read_target(href) is None


def test_a_target_holds_no_controls() -> None:
    assert read_target("https://a.example/x y\x7f\u2028z") == "https://a.example/x%20y%7Fz"
    assert web_host("https:\\\\a.example\\@b.example") == "a.example"
