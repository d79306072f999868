"""`python -m tests.suites.jmap FOLDER`: jmapio's test suite and fastmail's JMAP-TestSuite against a whole service.

FOLDER holds checkouts: `jmap-test-suite` (jmapio) and `JMAP-TestSuite` (fastmail), and beside them what the latter
needs and Debian lacks: `JMAP-Tester`, `JMAP-Tester-WebSocket` (fastmail), `JSON-Typist`, `Process-Status`,
`Test-Deep-HashRec` (rjbs). Debian has the rest: libmoose-perl, libtest-routine-perl, libtest-abortable-perl,
libemail-mime-perl, libemail-messageid-perl, libdata-guid-perl, libdatetime-perl, libmail-imapclient-perl, libjson-perl,
libwww-perl, libpath-tiny-perl, libthrowable-perl, libcryptx-perl, libmoosex-role-parameterized-perl, libsafe-isa-perl,
libscope-guard-perl, libimport-into-perl, libtest-deep-perl, libfuture-perl,
libjson-xs-perl. npm builds the former.

Each suite gets a service of its own with accounts that nobody had before; fastmail's have no mailbox but INBOX. What
passed and what failed is printed; docs/conformance.md holds it with the reasons.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hongyan.demonstration import DOMAIN
from hongyan.web.jmap.call import account_id_of
from tests.support.server import SECRET, Server, start_server

_HERE = Path(__file__).resolve().parent
_LIBRARIES = ("JMAP-Tester", "JMAP-Tester-WebSocket", "JSON-Typist", "Process-Status", "Test-Deep-HashRec")
_ACCOUNTS = 120  # more than fastmail's suite has files


async def main(folder: Path) -> None:
    """Run both suites."""
    with tempfile.TemporaryDirectory() as data:
        async with start_server(Path(data)) as server:
            await _run_jmapio(server, folder / "jmap-test-suite", Path(data))
    with tempfile.TemporaryDirectory() as data:
        names = [f"suite{number}" for number in range(_ACCOUNTS)]
        async with start_server(Path(data), names=names) as server:
            await _run_fastmail(server, folder, Path(data), names)


async def _run_jmapio(server: Server, suite: Path, data: Path) -> None:
    if not (suite / "dist").exists():
        await _run(["npm", "install", "--silent"], suite)
        await _run(["npm", "run", "build"], suite)
    users = {
        which: {"username": f"{name}@{DOMAIN}", "password": SECRET}
        for which, name in (("primary", "ann"), ("secondary", "bob"))
    }
    settings = {"sessionUrl": f"{_base(server)}/.well-known/jmap", "users": users, "authMethod": "basic"}
    config, report = data / "jmapio.json", data / "report.json"
    config.write_text(json.dumps(settings))
    await _run(["node", "dist/cli.js", "-c", str(config), "-f", "--fail-only", "-o", str(report)], suite)
    summary = json.loads(report.read_text())["summary"]
    print("jmap-test-suite:", json.dumps(summary))


async def _run_fastmail(server: Server, folder: Path, data: Path, names: Sequence[str]) -> None:
    lines = []
    mailboxes = server.app.services.mail.mailboxes
    for name in names:
        account = (await server.account(name)).account_id
        for box in await mailboxes.list_mailboxes(account):
            if box.name != "INBOX":
                await mailboxes.delete_mailbox(account, box.mailbox_id)
        lines.append(f"{account_id_of(account)}\t{name}@{DOMAIN}\t{SECRET}\n")
    accounts, adapter = data / "accounts", data / "adapter.json"
    accounts.write_text("".join(lines))
    adapter.write_text(json.dumps({"adapter": "Hongyan", "base_uri": _base(server), "accounts_file": str(accounts)}))
    libraries = [str(folder / name / "lib") for name in _LIBRARIES] + [str(_HERE / "perl")]
    environment = {"PERL5LIB": ":".join(libraries), "JMAP_SERVER_ADAPTER_FILE": str(adapter)}
    said = await _run(["prove", "-Ilib", "-j2", "-r", "t"], folder / "JMAP-TestSuite", environment)
    failed = sorted(set(re.findall(r"^(t/\S+\.t) +\(Wstat", said, re.MULTILINE)))
    count = re.search(r"^Files=(\d+)", said, re.MULTILINE)
    total = int(count[1]) if count else 0
    print(f"JMAP-TestSuite: {total - len(failed)} of {total} files pass")
    for name in failed:
        print("  fails:", name)


def _base(server: Server) -> str:
    endpoint = server.app.endpoints["http"]
    return f"http://{endpoint.host}:{endpoint.port}"


async def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it said, which is shown too where it is short."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode("utf-8", "replace")
    if environment is None:
        print(said)
    return said


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    asyncio.run(main(Path(sys.argv[1]).resolve()))
