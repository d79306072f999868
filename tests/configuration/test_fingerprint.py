"""What names a configuration: the settings, and no secret."""

from __future__ import annotations

import re
from dataclasses import replace

from hongyan.config import Config, DatabaseOptions, ServerOptions
from hongyan.configuration.fingerprint import fingerprint

_BASE = Config(server=ServerOptions(hostname="mail.geese.test", data="/var/lib/hongyan"))


def test_the_same_settings_have_the_same_name_and_others_another() -> None:
    again = Config(server=ServerOptions(hostname="mail.geese.test", data="/var/lib/hongyan"))
    assert fingerprint(again) == fingerprint(_BASE)
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(_BASE))
    other = replace(_BASE, server=replace(_BASE.server, hostname="mail.swans.test"))
    assert fingerprint(other) != fingerprint(_BASE)


def test_no_secret_goes_into_it() -> None:
    names = {
        fingerprint(replace(_BASE, database=DatabaseOptions(engine="postgres", dsn=f"postgresql://h:{word}@db/mail")))
        for word in ("one", "two")
    }
    assert len(names) == 1
