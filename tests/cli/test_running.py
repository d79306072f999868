"""The command line and a server that runs: what is done is known to the server at once."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.ports import free_port
from tests.support.server import SECRET, Demo, start_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server whose outgoing mail meets nobody: its relay does not listen."""
    data = tmp_path_factory.mktemp("running") / "data"
    options = ("--data", str(data), "--account", f"ann@hongyan.test={SECRET}", "--relay", f"127.0.0.1:{free_port()}")
    with start_demo(*options) as started:
        yield started


@pytest.fixture
def cli(demo: Demo) -> Cli:
    return Cli(Path(demo.told["data"]))


def bring(demo: Demo, recipient: str) -> int:
    """Return the code by which a recipient is answered."""
    with smtplib.SMTP(*demo.endpoint("smtp")) as smtp:
        smtp.ehlo()
        smtp.mail("a@elsewhere.test")
        return smtp.rcpt(recipient)[0]


def submit(demo: Demo, recipient: str) -> None:
    context = ssl.create_default_context(cafile=demo.told["ca"])
    with smtplib.SMTP_SSL("localhost", demo.endpoint("submissions")[1], context=context) as smtp:
        smtp.login("ann@hongyan.test", SECRET)
        text = f"From: ann@hongyan.test\r\nTo: {recipient}\r\nSubject: x\r\n\r\ny\r\n"
        smtp.sendmail("ann@hongyan.test", [recipient], text)


def test_what_is_made_and_removed_the_server_knows_at_once(demo: Demo, cli: Cli) -> None:
    assert bring(demo, "new@swans.test") == 550
    cli.json("domain", "add", "swans.test")
    cli.json("account", "add", "new@swans.test")
    assert bring(demo, "new@swans.test") == 250
    cli.json("account", "disable", "new@swans.test")
    assert bring(demo, "new@swans.test") == 550
    cli.json("account", "remove", "new@swans.test", "--yes")
    cli.json("alias", "add", "new@swans.test", "ann@hongyan.test")
    assert bring(demo, "new@swans.test") == 250
    cli.json("alias", "remove", "new@swans.test")
    cli.json("domain", "remove", "swans.test")
    assert bring(demo, "new@swans.test") == 550


def test_errors_of_the_server_are_told_as_without_one(cli: Cli) -> None:
    assert cli.json("account", "enable", "nobody@hongyan.test", code=1)["error"]["kind"] == "not-found"
    assert cli.json("account", "enable", "nobody", code=2)["error"]["kind"] == "usage"


def test_mail_that_waits_is_listed_held_retried_and_dropped(demo: Demo, cli: Cli) -> None:
    submit(demo, "friend@elsewhere.test")
    (message,) = cli.json("queue", "list", "--to", "elsewhere.test")["messages"]
    number = str(message["id"])
    assert cli.json("queue", "show", number)["sender"] == "ann@hongyan.test"
    assert cli.json("queue", "hold", number)["recipients"] == 1
    assert cli.json("queue", "show", number)["recipients"][0]["state"] == "held"
    assert cli.json("queue", "list", "--state", "held")["total"]["messages"] == 1
    told = cli("queue", "list", "--state", "held").out  # times to the second, and none for what waits for nobody
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", told)) == 1
    assert cli.json("queue", "retry", "--from", "ann@hongyan.test", "--dry-run")["recipients"] == 1
    assert cli.json("queue", "retry", number)["recipients"] == 1
    assert cli.json("queue", "drop", number, code=2)["error"]["kind"] == "usage"
    assert cli.json("queue", "drop", number, "--yes")["recipients"] == 1
    assert cli.json("queue", "show", number, code=1)["error"]["kind"] == "not-found"
    assert cli("queue", "list").out == "Nothing waits.\n"


def test_bans_are_listed_with_their_reasons_and_lifted(demo: Demo, cli: Cli) -> None:
    context = ssl.create_default_context(cafile=demo.told["ca"])
    for _ in range(11):
        smtp = smtplib.SMTP_SSL("localhost", demo.endpoint("submissions")[1], context=context)
        with smtp, pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("user@hongyan.test", "wrong")
    (ban,) = cli.json("ban", "list")["bans"]
    assert (ban["network"], ban["name"], ban["rule"]) == ("127.0.0.1", "user@hongyan.test", "name")
    assert "用此登录名登录失败 10 次" in cli("ban", "list", language="zh_CN.UTF-8").out
    # Of a ban for one name a firewall is told nothing: others may log in from there.
    assert not [line for line in cli("ban", "list", "--form", "nftables").out.splitlines() if "element" in line]
    assert cli("ban", "list", "--form", "fail2ban").out == ""
    assert len(cli.json("ban", "lift", "127.0.0.1")["bans"]) == 1
    assert cli.json("ban", "list")["bans"] == []


def test_a_server_at_work_is_verified_and_backed_up(demo: Demo, cli: Cli, tmp_path: Path) -> None:
    assert cli.json("verify")["sound"] is True
    cli.json("backup", str(tmp_path / "backup"))
    cli.json("restore", str(tmp_path / "backup"), str(tmp_path / "restored"), on_data=False)
    addresses = {account["address"] for account in Cli(tmp_path / "restored").json("account", "list")["accounts"]}
    assert "ann@hongyan.test" in addresses
