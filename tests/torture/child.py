"""The command `hongyan`, with its clock or its promises bent by the harness.

`HONGYAN_TORTURE` names a promise to break, see `mutations`; without it this is `python -m hongyan`. With
`HONGYAN_PATIENT` it takes a disk of ours for one that can tell what lies in memory, as a disk of the kernel's can:
so that what the server does on its loop for that reason happens on a disk whose power goes.
"""

from __future__ import annotations

import os
import runpy
import sys

from tests.torture import mutations


def main() -> None:
    """Bend, then serve."""
    mutations.apply(os.environ.get("HONGYAN_TORTURE", ""))
    if os.environ.get("HONGYAN_PATIENT"):
        os.RWF_NOWAIT = 0  # type: ignore[misc]
    sys.argv[0] = "hongyan"
    runpy.run_module("hongyan", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
