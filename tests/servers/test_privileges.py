"""Root goes for good."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hongyan.errors import ConfigurationError
from hongyan.servers.privileges import drop_privileges

PROGRAM = """
import os, socket
from hongyan.servers.privileges import drop_privileges
listening = socket.create_server(("127.0.0.1", 0))
drop_privileges("nobody")
assert os.getresuid() == (65534,) * 3 and 0 not in os.getgroups() and os.getresgid()[0] != 0
try:
    os.setuid(0)
except PermissionError:
    print("gone", listening.getsockname()[1] > 0)
"""


@pytest.mark.root
def test_root_is_dropped_for_good_and_bound_sockets_stay() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert result.stdout == "gone True\n"


@pytest.mark.root
@pytest.mark.parametrize(("user", "group"), [("no-such-user", None), ("nobody", "no-such-group"), ("root", None)])
def test_a_user_that_cannot_be_is_refused(user: str, group: str | None) -> None:
    with pytest.raises(ConfigurationError):
        drop_privileges(user, group)
    assert os.geteuid() == 0


def test_without_root_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    drop_privileges("no-such-user")
