"""A service in the foreground, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import gc, sys
from pathlib import Path
from hongyan.cli.serving import run_service
from hongyan.demonstration import Demonstration, bind_free_ports, configure

async def look(app):
    before = gc.get_freeze_count()
    gc.collect()
    print(before > 50_000, len(gc.get_objects()) < before)
    app.stop()

config, _ = configure(Demonstration(data=Path(sys.argv[1]), ports={}, accounts=[]))
run_service(config, look, sockets={str(name): bound for name, bound in bind_free_ports().items()})
"""


def test_the_garbage_collector_leaves_alone_what_was_made_for_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert done.returncode == 0
