"""The peers' configuration gives its reasons, and the peers do the work."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from bench.peers.templates import fill_in

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [ROOT / "bench" / "peers" / name for name in ("dovecot.conf", "main.cf", "master.cf")]


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


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.root
def test_dovecot_and_postfix_do_a_little_work_and_answer_rightly(tmp_path: Path) -> None:
    work = "deliver/4k/kept/1,login/tls/1,append/4k/1,list/,body/bulk,store/single,move/,search/unseen,pop3/pipelined"
    options = ["--servers", "dovecot", "--scale", "0.02", "--big", "300", "--repeat", "1", "--only", work]
    command = [sys.executable, "-m", "bench", *options, "--json", str(tmp_path / "figures.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| `store/single` |" in done.stdout
    assert (tmp_path / "figures.json").stat().st_size > 1000
