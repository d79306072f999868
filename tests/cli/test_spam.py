"""`hongyan spam`: taught by files, asked why, told to forget; in English and in Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screening.letters import unwanted, wanted
from tests.support.cli import Cli


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Files: a directory of unwanted messages, an mbox of wanted ones, and one of each to be judged."""
    folder = tmp_path / "letters"
    (folder / "bad").mkdir(parents=True)
    for number in range(30):
        (folder / "bad" / f"{number}.eml").write_bytes(unwanted(number))
    (folder / "good.mbox").write_bytes(
        b"".join(b"From a@b Mon Nov 23 10:00:00 2026\n" + wanted(number) + b"\n" for number in range(30))
    )
    (folder / "offer.eml").write_bytes(unwanted(77))
    (folder / "minutes.eml").write_bytes(wanted(77))
    return folder


def test_it_is_taught_by_files_and_says_why(cli: Cli, letters: Path) -> None:
    assert cli.json("spam", "explain", str(letters / "offer.eml"))["enough"] is False
    assert cli.json("spam", "train", "--spam", str(letters / "bad")) == {"learnt": 30}
    assert cli.json("spam", "train", "--ham", str(letters / "good.mbox")) == {"learnt": 30}
    assert cli.json("spam", "train", "--ham", str(letters / "good.mbox")) == {"learnt": 0}
    status = cli.json("spam", "status")
    assert (status["ham"], status["spam"]) == (30, 30)
    offer = cli.json("spam", "explain", str(letters / "offer.eml"))
    assert offer["junk"] is True
    assert "link" not in str(offer["reasons"])
    assert "sender:offers.test" in {reason["word"] for reason in offer["reasons"]}
    minutes = cli.json("spam", "explain", str(letters / "minutes.eml"), "--account", "bob@geese.test")
    assert minutes["junk"] is False


def test_it_speaks_both_languages(cli: Cli, letters: Path) -> None:
    cli("spam", "train", "--spam", str(letters / "bad"))
    cli("spam", "train", "--ham", str(letters / "good.mbox"))
    assert "filed in Junk" in cli("spam", "explain", str(letters / "offer.eml")).out
    assert "放入垃圾邮件箱" in cli("spam", "explain", str(letters / "offer.eml"), language="zh_CN.UTF-8").out
    assert "正常邮件" in cli("spam", "status", language="zh_CN.UTF-8").out


def test_wrong_calls_say_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    assert cli("spam", "train", str(tmp_path)).code == 2
    assert "cannot be read" in cli("spam", "explain", str(tmp_path / "nothing.eml")).err
    assert cli("spam", "forget", "bob@geese.test", "--yes").code == 1
