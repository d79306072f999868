"""`hongyan mailbox`: what accounts share with each other, shown and changed by an operator."""

from __future__ import annotations

import pytest

from tests.support.cli import Cli

_ANN, _BOB = "ann@geese.test", "bob@geese.test"


def test_a_mailbox_is_shared_shown_on_both_sides_and_taken_back(cli: Cli) -> None:
    shared = cli.json("mailbox", "share", _ANN, "inbox", _BOB)
    assert shared == {"mailbox": "INBOX", "identifier": _BOB, "rights": "lrs", "address": _ANN}
    cli.json("mailbox", "share", _ANN, "Archive", "bob", "write")
    assert cli.json("mailbox", "shares", _ANN) == {
        "address": _ANN,
        "shares": [
            {"mailbox": "Archive", "identifier": _BOB, "rights": "lrswited"},
            {"mailbox": "INBOX", "identifier": _BOB, "rights": "lrs"},
        ],
        "reached": [],
    }
    assert cli.json("mailbox", "shares", _BOB)["reached"] == [
        {"mailbox": f"Other Users/{_ANN}/Archive", "rights": "lrswited"},
        {"mailbox": f"Other Users/{_ANN}/INBOX", "rights": "lrs"},
    ]
    assert cli.json("mailbox", "unshare", _ANN, "Archive", _BOB)["rights"] == ""
    assert [one["mailbox"] for one in cli.json("mailbox", "shares", _ANN)["shares"]] == ["INBOX"]


def test_what_is_denied_stands_beside_what_is_granted(cli: Cli) -> None:
    cli.json("mailbox", "share", _ANN, "INBOX", _BOB, "all")
    denied = cli.json("mailbox", "share", _ANN, "INBOX", _BOB, "xa", "--deny")
    assert (denied["identifier"], denied["rights"]) == (f"-{_BOB}", "xac")
    (reached,) = cli.json("mailbox", "shares", _BOB)["reached"]
    assert reached["rights"] == "lrswipktecd"
    cli.json("mailbox", "unshare", _ANN, "INBOX", _BOB, "--deny")
    (reached,) = cli.json("mailbox", "shares", _BOB)["reached"]
    assert reached["rights"] == "lrswipkxteacd"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((_ANN, "Nothing", _BOB), "not-found"),
        (("nobody@geese.test", "INBOX", _BOB), "not-found"),
        ((_ANN, "INBOX", "nobody"), "unknown-identifier"),
        ((_ANN, "INBOX", _ANN), "refused"),
        ((_ANN, "INBOX", "anyone"), "refused"),
        ((_ANN, "INBOX", _BOB, "lrq"), "refused"),
        ((_ANN, "INBOX", _BOB, ""), "refused"),
    ],
)
def test_what_cannot_be_shared_is_refused_by_a_dry_run_too(cli: Cli, arguments: tuple[str, ...], kind: str) -> None:
    for dry in ((), ("--dry-run",)):
        assert cli.json("mailbox", "share", *arguments, *dry, code=1)["error"]["kind"] == kind
    assert cli.json("mailbox", "shares", _ANN)["shares"] == []


def test_a_dry_run_shares_nothing(cli: Cli) -> None:
    assert cli.json("mailbox", "share", _ANN, "INBOX", _BOB, "--dry-run")["dry_run"] is True
    assert cli.json("mailbox", "shares", _ANN)["shares"] == []
    cli.json("mailbox", "share", _ANN, "INBOX", _BOB)
    assert cli.json("mailbox", "unshare", _ANN, "INBOX", _BOB, "--dry-run")["dry_run"] is True
    assert len(cli.json("mailbox", "shares", _ANN)["shares"]) == 1


def test_people_are_told_in_their_language(cli: Cli) -> None:
    chinese = "zh_CN.UTF-8"
    assert "的权限为 lrs" in cli("mailbox", "share", _ANN, "INBOX", _BOB, language=chinese).out
    assert f"INBOX of {_ANN}: {_BOB} has lrs." in cli("mailbox", "share", _ANN, "INBOX", _BOB).out
    assert "共享给" in cli("mailbox", "shares", _ANN, language=chinese).out
    assert "It reaches no mailbox of others." in cli("mailbox", "shares", _ANN).out
    assert "已收回" in cli("mailbox", "unshare", _ANN, "INBOX", _BOB, language=chinese).out
    assert "始终拥有全部权限" in cli("mailbox", "share", _ANN, "INBOX", _ANN, language=chinese).err
