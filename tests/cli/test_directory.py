"""Domains, accounts, app passwords and aliases by the command line, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from tests.support.cli import Cli


def test_a_domain_is_served_with_keys_and_records_and_no_longer_when_it_is_empty(cli: Cli) -> None:
    added = cli.json("domain", "add", "雁.test")
    assert added["domain"] == "xn--9n5a.test"
    kinds = {(record["type"], record["need"]) for record in added["records"]}
    assert ("MX", "required") in kinds
    assert sum("_domainkey" in record["name"] for record in added["records"]) == 2
    assert [domain["domain"] for domain in cli.json("domain", "list")["domains"]] == ["geese.test", "xn--9n5a.test"]
    wanted = cli.json("domain", "dns", "xn--9n5a.test")
    assert wanted["records"] == added["records"]
    assert datetime.now(UTC) - datetime.fromisoformat(wanted["made"]["at"]) < timedelta(hours=1)
    assert wanted["made"]["configuration"] in cli("domain", "dns", "xn--9n5a.test").out.splitlines()[0]
    assert cli.json("domain", "remove", "xn--9n5a.test") == {"domain": "xn--9n5a.test"}
    assert cli.json("domain", "remove", "geese.test", code=1)["error"]["kind"] == "refused"


def test_a_domain_that_comes_back_keeps_its_keys(cli: Cli) -> None:
    first = cli.json("domain", "add", "swans.test")["records"]
    cli.json("domain", "remove", "swans.test")
    assert cli.json("domain", "add", "swans.test")["records"] == first


def test_an_account_is_made_with_an_app_password_and_a_password_that_is_made_up(cli: Cli) -> None:
    made = cli.json("account", "add", "cleo@geese.test", "--name", "Cleo", "--service", "pop3", "--quota", "5")
    assert (made["name"], made["role"], made["services"]) == ("Cleo", "user", ["pop3"])
    assert len(made["app_password"].replace(" ", "")) == 16
    assert made["password"]
    listed = {account["address"]: account for account in cli.json("account", "list", "--usage")["accounts"]}
    assert listed["cleo@geese.test"]["limit_octets"] == 5 << 20
    assert cli.json("account", "list", "geese.test")["accounts"][0]["role"] == "admin"


def test_an_account_is_suspended_and_back_and_its_services_are_switched(cli: Cli) -> None:
    assert cli.json("account", "disable", "bob@geese.test")["state"] == "suspended"
    assert cli.json("account", "enable", "bob@geese.test")["state"] == "active"
    assert "smtp" not in cli.json("account", "disable", "bob@geese.test", "--service", "smtp")["services"]
    assert "pop3" in cli.json("account", "enable", "bob@geese.test", "--service", "pop3")["services"]
    assert cli.json("account", "disable", "ann@geese.test", code=1)["error"]["kind"] == "refused"


def test_how_pop3_serves_an_account_is_shown_and_set(cli: Cli) -> None:
    assert cli.json("account", "pop3", "bob@geese.test")["pop3"]["fetched"] == "keep"
    set_ = cli.json("account", "pop3", "bob@geese.test", "--days", "30", "--fetched", "delete", "--keep-days", "7")
    assert set_["pop3"] == {"days": 30, "fetched": "delete", "keep_days": 7, "deleted": "expunge"}
    cli.json("account", "pop3", "bob@geese.test", "--deleted", "trash", "--dry-run")
    assert cli.json("account", "pop3", "bob@geese.test") == set_
    assert "removed 7 days" in cli("account", "pop3", "bob@geese.test").out
    assert cli.json("account", "pop3", "bob@geese.test", "--reset")["pop3"]["days"] == 0
    assert cli.json("account", "pop3", "bob@geese.test", "--days", "-1", code=1)["error"]["kind"] == "refused"


def test_what_expunge_does_is_shown_and_set(cli: Cli) -> None:
    assert cli.json("account", "imap", "bob@geese.test")["imap"] == {"deleted": "expunge"}
    assert cli.json("account", "imap", "bob@geese.test", "--deleted", "keep")["imap"] == {"deleted": "keep"}
    cli.json("account", "imap", "bob@geese.test", "--deleted", "trash", "--dry-run")
    assert "Archive" in cli("account", "imap", "bob@geese.test").out
    assert cli.json("account", "imap", "bob@geese.test", "--reset")["imap"] == {"deleted": "expunge"}


def test_capabilities_are_switched_off_for_an_account_and_on_again(cli: Cli) -> None:
    off = cli.json("account", "capabilities", "bob@geese.test", "--off", "move", "--off", "IDLE")
    assert off["switched_off"] == ["IDLE", "MOVE"]
    assert "IDLE MOVE" in cli("account", "capabilities", "bob@geese.test").out
    assert cli.json("account", "capabilities", "bob@geese.test", "--on", "MOVE")["switched_off"] == ["IDLE"]
    wrong = cli.json("account", "capabilities", "bob@geese.test", "--off", "IMAP4rev1", code=1)
    assert wrong["error"]["kind"] == "refused"


def test_an_account_is_removed_only_by_somebody_who_means_it(cli: Cli) -> None:
    assert cli.json("account", "remove", "bob@geese.test", code=2)["error"]["kind"] == "usage"
    assert cli.json("account", "remove", "bob@geese.test", "--yes")["address"] == "bob@geese.test"
    assert len(cli.json("account", "list")["accounts"]) == 1


def test_a_password_comes_from_the_input_and_is_not_shown_again(cli: Cli) -> None:
    done = cli("account", "password", "bob@geese.test", "--password", "stdin", "--json", stdin="wild goose chase\n")
    assert done.document == {"address": "bob@geese.test"}
    assert "goose" not in done.out + done.err
    assert cli.json("app-password", "list", "bob@geese.test")["app_passwords"] == []
    short = cli("account", "password", "bob@geese.test", "--password", "stdin", "--json", stdin="goose\n")
    assert (short.code, short.document["error"]["kind"]) == (1, "password-fault")
    assert cli.json("account", "password", "bob@geese.test", "--password", "stdin", code=2)["error"]
    assert cli.json("account", "password", "bob@geese.test", "--password", "prompt", code=2)["error"]


def test_app_passwords_are_made_listed_and_revoked_by_number(cli: Cli) -> None:
    made = cli.json("app-password", "create", "bob@geese.test", "phone", "--service", "imap")
    assert made["services"] == ["imap"]
    assert len(made["app_password"].split()) == 4
    listed = cli.json("app-password", "list", "bob@geese.test")["app_passwords"]
    assert [known["label"] for known in listed] == ["first", "phone"]
    number = str(listed[1]["number"])
    revoked = cli.json("app-password", "revoke", "bob@geese.test", number)["app_passwords"]
    assert [known["label"] for known in revoked] == ["phone"]
    assert cli.json("app-password", "revoke", "bob@geese.test", number, code=1)["error"]["kind"] == "not-found"
    assert cli.json("app-password", "revoke", "bob@geese.test", code=2)["error"]
    assert len(cli.json("app-password", "revoke", "bob@geese.test", "--all")["app_passwords"]) == 1


def test_aliases_and_catch_alls_are_made_listed_and_removed(cli: Cli) -> None:
    cli.json("alias", "add", "all@geese.test", "ann@geese.test", "bob@geese.test", "--members-may-send")
    cli.json("alias", "add", "*@geese.test", "ann@geese.test")
    assert cli.json("alias", "list")["aliases"] == [
        {"address": "*@geese.test", "targets": ["ann@geese.test"], "members_may_send": False},
        {"address": "all@geese.test", "targets": ["ann@geese.test", "bob@geese.test"], "members_may_send": True},
    ]
    cli.json("alias", "remove", "*@geese.test")
    cli.json("alias", "remove", "all@geese.test")
    assert cli.json("alias", "list", "geese.test")["aliases"] == []
    assert cli.json("alias", "remove", "all@geese.test", code=1)["error"]["kind"] == "not-found"
    assert cli.json("alias", "add", "ann@geese.test", "bob@geese.test", code=1)["error"]["kind"] == "already-exists"


def test_client_certificates_are_written_to_files_listed_and_revoked(cli: Cli, tmp_path: Path) -> None:
    issue = ("client-certificate", "issue", "bob@geese.test", "phone", "--service", "imap", "--days", "10")
    for language, password in (("C.UTF-8", "its password: "), ("zh_CN.UTF-8", "其密码: ")):
        shown = cli(*issue, "--folder", str(tmp_path), language=language).out
        assert password in shown
    files = sorted(tmp_path.glob("bob@geese.test-*"))
    assert [path.suffix for path in files] == [".p12", ".pem"] * 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    secret = shown.partition(password)[2].partition("\n")[0].encode()
    key, certificate, above = load_key_and_certificates(files[2].read_bytes(), secret)
    assert key is not None
    assert certificate is not None
    assert [one.subject for one in above] == [certificate.issuer]
    assert certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=10)
    assert certificate.subject.rfc4514_string() == "CN=bob@geese.test"
    assert b"PRIVATE KEY" in files[3].read_bytes()
    assert (cli.data / "client-authority.pem").stat().st_mode & 0o777 == 0o600
    listed = cli.json("client-certificate", "list", "bob@geese.test")["certificates"]
    assert [(one["label"], one["services"], one["last_used_at"]) for one in listed] == [("phone", ["imap"], None)] * 2
    assert listed[1]["fingerprint"] == certificate.fingerprint(SHA256()).hex()
    number = str(listed[0]["number"])
    assert len(cli.json("client-certificate", "revoke", "bob@geese.test", number)["certificates"]) == 1
    assert cli.json("client-certificate", "revoke", "bob@geese.test", number, code=1)["error"]["kind"] == "not-found"
    assert cli.json("client-certificate", "revoke", "bob@geese.test", code=2)["error"]
    assert len(cli.json("client-certificate", "revoke", "bob@geese.test", "--all")["certificates"]) == 1


DRY = [
    ("domain", "add", "swans.test"),
    ("account", "add", "new@geese.test"),
    ("account", "disable", "bob@geese.test"),
    ("account", "disable", "bob@geese.test", "--service", "imap"),
    ("account", "enable", "bob@geese.test"),
    ("account", "remove", "bob@geese.test"),
    ("account", "password", "bob@geese.test"),
    ("app-password", "create", "bob@geese.test"),
    ("app-password", "revoke", "bob@geese.test", "--all"),
    ("client-certificate", "issue", "bob@geese.test"),
    ("client-certificate", "revoke", "bob@geese.test", "--all"),
    ("alias", "add", "all@geese.test", "bob@geese.test"),
    ("alias", "add", "*@geese.test", "bob@geese.test"),
    ("queue", "retry", "--all"),
    ("queue", "hold", "--all"),
    ("queue", "drop", "--all"),
]
DRY_AND_IMPOSSIBLE = [
    ("domain", "add", "geese.test"),
    ("domain", "remove", "geese.test"),
    ("domain", "remove", "swans.test"),
    ("account", "add", "ann@geese.test"),
    ("account", "add", "ann@swans.test"),
    ("account", "disable", "ann@geese.test"),
    ("account", "enable", "nobody@geese.test"),
    ("account", "remove", "ann@geese.test"),
    ("app-password", "create", "bob@geese.test", "x" * 65),
    ("app-password", "revoke", "bob@geese.test", "77"),
    ("client-certificate", "issue", "bob@geese.test", "--days", "9999"),
    ("client-certificate", "issue", "nobody@geese.test"),
    ("client-certificate", "revoke", "bob@geese.test", "77"),
    ("alias", "add", "ann@geese.test", "bob@geese.test"),
    ("alias", "add", "all@swans.test", "bob@geese.test"),
    ("alias", "remove", "all@geese.test"),
    ("alias", "remove", "*@geese.test"),
    ("ban", "lift", "192.0.2.1"),
]


def snapshot(cli: Cli) -> object:
    return [
        cli.json("domain", "list"),
        cli.json("account", "list"),
        cli.json("alias", "list"),
        cli.json("app-password", "list", "bob@geese.test"),
    ]


def test_a_dry_run_says_whether_it_could_be_done_and_changes_nothing(cli: Cli) -> None:
    before = snapshot(cli)
    for command in DRY:
        assert cli.json(*command, "--dry-run")["dry_run"] is True, command
    for command in DRY_AND_IMPOSSIBLE:
        assert cli.json(*command, "--dry-run", code=1)["error"]["sentence"], command
    assert snapshot(cli) == before


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_people_are_answered_in_their_language(cli: Cli, language: str) -> None:
    commands = [
        ("domain", "list"),
        ("account", "list", "--usage"),
        ("account", "enable", "bob@geese.test"),
        ("app-password", "list", "bob@geese.test"),
        ("app-password", "create", "bob@geese.test"),
        ("client-certificate", "list", "bob@geese.test"),
        ("client-certificate", "revoke", "bob@geese.test", "--all"),
        ("alias", "list"),
        ("queue", "list"),
        ("ban", "list"),
        ("account", "add", "new@geese.test"),
        ("account", "password", "new@geese.test"),
        ("alias", "add", "a@geese.test", "bob@geese.test"),
        ("alias", "remove", "a@geese.test"),
        ("domain", "add", "swans.test"),
        ("domain", "dns", "swans.test"),
        ("domain", "remove", "swans.test"),
        ("app-password", "revoke", "bob@geese.test", "--all"),
        ("account", "remove", "new@geese.test", "--yes"),
    ]
    for command in commands:
        done = cli(*command, language=language)
        assert (done.code, done.err) == (0, ""), command
        has_chinese = any("\u4e00" <= character <= "\u9fff" for character in done.out)
        assert has_chinese == (language != "C.UTF-8") or "→" in done.out, command
