"""`config`: a file is checked without a start, settings are described."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Cli

GOOD = (
    '[server]\nhostname = "mail.geese.test"\n[[certificates]]\nchain = "c"\nkey = "k"\n[listen.smtp]\n[listen.imaps]\n'
)


def test_a_file_that_is_good_gives_pause_or_is_wrong_is_told_apart_by_the_exit_code(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "hongyan.toml"
    file.write_text(GOOD)
    good = cli.json("config", "check", str(file), on_data=False)
    assert good == {"file": str(file), "faults": [], "doubts": []}
    file.write_text(GOOD + "[limits]\nenabled = false\n")
    doubtful = cli.json("config", "check", str(file), on_data=False, code=3)
    assert [doubt["line"] for doubt in doubtful["doubts"]] == [9]
    file.write_text(GOOD + "[limitz]\n")
    wrong = cli.json("config", "check", str(file), on_data=False, code=1)
    assert wrong["faults"] == [
        {"line": 8, "sentence": 'There is no setting "limitz". Did you mean "limits"?'},
    ]
    assert cli("config", "check", str(file), on_data=False).out.startswith(f"{file}:8: There is no setting")
    assert "您是指" in cli("config", "check", str(file), on_data=False, language="zh_CN.UTF-8").out


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    assert "cannot be read" in cli("config", "check", str(tmp_path / "none"), on_data=False).err


def test_settings_are_described(cli: Cli) -> None:
    (setting,) = cli.json("config", "describe", "limits.failures_per_network", on_data=False)
    assert setting["default"] == "500"
    assert setting["unit"] == "per hour"
    assert "limits.failures_per_network = 500 per hour" in cli("config", "describe", on_data=False).out
    assert cli.json("config", "describe", "nonsense", on_data=False, code=1)["error"]["kind"] == "not-found"
