"""The reference names every setting, and the example is a file that can be used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hongyan.config import SERVICES, Config
from hongyan.configuration.file import read_config
from hongyan.configuration.reference import find_settings, list_sections, make_example, make_page


def uncommented() -> str:
    """Return the example with each setting in force, as somebody would use it."""
    text = re.sub(r"^#(?=[a-z\[])", "", make_example(), flags=re.MULTILINE)
    for name in ("chain", "key", "key_name", "key_file"):
        text = text.replace(f'\n{name} = ""', f'\n{name} = "{name}.pem"')
    return text.replace("NAME", "imap")


def test_the_example_holds_the_defaults() -> None:
    config, default = read_config(uncommented(), Path("/x/hongyan.toml")), read_config("", Path("/x/hongyan.toml"))
    assert config.listen.keys() == {"imap"}
    default = replace(default, dnsbl=config.dnsbl)  # Its list of lists has an example, too.
    for section in Config.__dataclass_fields__:
        if section not in ("listen", "certificates", "destinations", "pools", "dns_update", "dns_provider"):
            assert getattr(config, section) == getattr(default, section)


def test_each_section_and_setting_stands_on_the_page() -> None:
    page = make_page()
    for section in list_sections():
        assert f"## `{section.header}`" in page
        assert section.sentence in page
        for setting in section.settings:
            assert f"| `{setting.name}` |" in page
    assert all(service in page for service in SERVICES)


def test_settings_are_found_by_path_by_section_and_by_name() -> None:
    assert [setting.path for setting in find_settings("imap.idle_timeout")] == ["imap.idle_timeout"]
    assert {setting.path for setting in find_settings("idle_timeout")} >= {"imap.idle_timeout", "pop3.idle_timeout"}
    assert all(setting.path.startswith("queue.") for setting in find_settings("queue"))
    assert find_settings("admission.imap.new_per_minute")[0].default == "50"
    assert find_settings("nothing") == []
