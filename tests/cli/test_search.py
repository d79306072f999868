"""`hongyan search`: how far the index is, and made anew; in English and in Chinese."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Cli
from tests.support.mail import message_octets

_WHO = "bob@geese.test"


def _fill(cli: Cli, folder: Path) -> None:
    letters = folder / "letters.mbox"
    letters.write_bytes(
        b"".join(b"From a@b Mon Nov 23 10:00:00 2026\n" + message_octets(f"n{number}") + b"\n" for number in range(3))
    )
    assert cli("import", _WHO, str(letters)).code == 0


def test_it_tells_what_is_indexed_before_and_after(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    (before,) = cli.json("search", "status", _WHO)["accounts"]
    assert (before["address"], before["emails"], before["lag"]) == (_WHO, 0, 3)
    assert cli.json("search", "rebuild", _WHO, "--dry-run") == {"dry_run": True, "accounts": 1}
    assert cli.json("search", "rebuild", _WHO) == {"accounts": 1}
    (after,) = cli.json("search", "status")["accounts"]
    assert (after["emails"], after["partial"], after["lag"]) == (3, 0, 0)
    assert after["octets"] > 0


def test_it_speaks_both_languages(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    assert "still to come" in cli("search", "status", _WHO).out
    told = cli("search", "status", _WHO, language="zh_CN.UTF-8").out
    assert all(word in told for word in ("已索引", "每次搜索都读取", "未索引", _WHO))
    assert "已为 1 个账户重建索引。" in cli("search", "rebuild", _WHO, language="zh_CN.UTF-8").out


def test_of_a_damaged_index_nothing_counts_until_it_is_made_anew(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    cli("search", "rebuild", _WHO)
    (file,) = (cli.data / "search").glob("*.db")
    file.write_bytes(b"no database at all" * 1000)
    (told,) = cli.json("search", "status")["accounts"]
    assert (told["emails"], told["lag"]) == (0, 3)
    assert cli.json("search", "rebuild") == {"accounts": 1}
    assert cli.json("search", "status")["accounts"][0]["emails"] == 3


def test_it_says_when_there_is_no_room_in_both_languages(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    assert not cli.json("search", "status")["stopped"]
    file = tmp_path / "wants-room.toml"
    file.write_text(f'[server]\ndata = "{cli.data}"\nhostname = "mail.geese.test"\n[search]\nreserve = 1000000000\n')
    wanting = ("--config", str(file))
    told = cli.json("search", "status", _WHO, *wanting, on_data=False)
    assert told["stopped"]
    assert told["free"] < told["needed"]
    assert "Indexing has stopped: " in cli("search", "status", _WHO, *wanting, on_data=False).out
    chinese = cli("search", "status", _WHO, *wanting, on_data=False, language="zh_CN.UTF-8").out
    assert "索引已暂停" in chinese
    assert cli("search", "rebuild", _WHO, *wanting, on_data=False).code != 0


def test_a_verification_tells_of_a_damaged_index_and_mends_it(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    cli("search", "rebuild", _WHO)
    assert cli.json("verify")["index"] == {"accounts": 1, "behind": 0, "damaged": [], "repaired": False}
    assert "Text index: whole, of 1 accounts; 0 messages are not in it." in cli("verify").out
    (file,) = (cli.data / "search").glob("*.db")
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2] ^= 16
    file.write_bytes(octets)
    told = cli.json("verify")
    assert told["sound"]
    assert len(told["index"]["damaged"]) == 1
    assert "Text index: damaged for 1 of 1 accounts" in cli("verify").out
    assert "搜索改为读取邮件" in cli("verify", language="zh_CN.UTF-8").out
    assert "was made anew" in cli("verify", "--repair").out
    assert cli.json("verify")["index"] == {"accounts": 1, "behind": 0, "damaged": [], "repaired": False}


def test_a_backup_is_without_the_index_and_what_is_restored_makes_another(cli: Cli, tmp_path: Path) -> None:
    _fill(cli, tmp_path)
    cli("search", "rebuild", _WHO)
    backup, data = tmp_path / "backup", tmp_path / "restored"
    assert cli("backup", str(backup)).code == 0
    assert not list(backup.rglob("*search*"))
    assert cli("restore", str(backup), str(data), on_data=False).code == 0
    restored = Cli(data, cli.environment)
    (before,) = restored.json("search", "status", _WHO)["accounts"]
    assert (before["emails"], before["lag"] >= 3) == (0, True)
    restored.json("search", "rebuild", _WHO)
    (after,) = restored.json("search", "status")["accounts"]
    assert (after["emails"], after["lag"]) == (3, 0)


def test_an_account_that_is_not_there_has_no_index(cli: Cli) -> None:
    done = cli("search", "status", "nobody@geese.test")
    assert done.code == 1
    assert "no such account" in done.err
