"""The peers' configuration gives its reasons for each line."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from bench.peers.templates import fill_in

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [
    ROOT / "bench" / "peers" / name for name in ("dovecot.conf", "imapd.conf", "cyrus.conf", "main.cf", "master.cf")
]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_each_line_has_its_reason_above_it(template: Path) -> None:
    lines = [line.strip() for line in template.read_text().splitlines()]
    pairs = pairwise(lines)
    assert [line for above, line in pairs if line and line[0] not in "#}" and not above.startswith("# ")] == []


def test_a_template_is_filled_in_whole_or_not_at_all() -> None:
    filled = fill_in("master.cf", PORT=2525)
    assert "127.0.0.1:2525 inet" in filled
    assert re.search(r"@[A-Z]+@", filled) is None
    with pytest.raises(ValueError, match="has the gaps"):
        fill_in("master.cf", PORT=2525, FOLDER="/")
