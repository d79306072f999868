"""Options: defaults, sentences and units of the configuration's sections."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from hongyan.options import Option, describe, option


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    tries: int = option(3, "How often to try.")
    wait: timedelta = option(timedelta(seconds=5), "How long to wait between two tries.", unit="s")
    hosts: list[str] = option(["a"], "Whom to ask.")
    name: str | None = option(None, "What to call it.")


def test_a_section_takes_its_defaults_from_its_options() -> None:
    section = Section()
    assert (section.tries, section.wait, section.hosts, section.name) == (3, timedelta(seconds=5), ["a"], None)
    assert Section(tries=4).tries == 4


def test_a_mutable_default_is_not_shared_between_sections() -> None:
    first, second = Section(), Section()
    first.hosts.append("b")
    assert second.hosts == ["a"]


def test_describe_tells_name_type_default_sentence_and_unit_in_order() -> None:
    assert describe(Section) == (
        Option("tries", int, 3, "How often to try.", None),
        Option("wait", timedelta, timedelta(seconds=5), "How long to wait between two tries.", "s"),
        Option("hosts", list[str], ["a"], "Whom to ask.", None),
        Option("name", str | None, None, "What to call it.", None),
    )


def test_a_field_without_default_is_described_as_required() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Plain:
        host: str

    (host,) = describe(Plain)
    assert host.default is dataclasses.MISSING
    assert host.doc == ""


def test_a_sentence_without_its_full_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="full stop"):
        option(1, "How often")
