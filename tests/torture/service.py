"""The server under torture: `hongyan demo` as a process tree of its own, started, killed and started again."""

from __future__ import annotations

__all__ = ["Endpoints", "Service", "ServiceFailed"]

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.torture.clients import Gone, ImapClient, SmtpClient

Endpoints = Mapping[str, str]

ROOT = Path(__file__).resolve().parent.parent.parent
_START_SECONDS = 60.0


class ServiceFailed(Exception):
    """The server does not come up."""


class Service:
    """One data directory, and the process that serves it."""

    def __init__(self, data: Path, log: Path, accounts: Sequence[str], secret: str) -> None:
        self.data = data
        self.log = log
        self.accounts = accounts
        self.secret = secret
        self.environment: dict[str, str] = {}
        self.endpoints: Endpoints = {}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> float:
        """Start, and return after how many seconds the first commands were answered."""
        started = time.monotonic()
        command = [sys.executable, "-m", "tests.torture.child", "demo", "--json", "--data", str(self.data)]
        command += ["--plaintext-auth", "--limits", "off"]
        command += [f"--account={address}={self.secret}" for address in self.accounts]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd=ROOT,
                env=os.environ | self.environment,
            )
        self.endpoints = await asyncio.to_thread(self._read_endpoints)
        await self._be_served()
        return time.monotonic() - started

    def _read_endpoints(self) -> Endpoints:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        killer = threading.Timer(_START_SECONDS, process.kill)
        killer.start()
        line = process.stdout.readline()
        killer.cancel()
        told = json.loads(line) if line.startswith(b"{") else {}
        if "smtp" not in told:
            self.kill()
            raise ServiceFailed(f"the server did not start: {line.decode()}{self.last_words()}")
        return {name: said for name, said in told.items() if isinstance(said, str)}

    async def _be_served(self) -> None:
        try:
            smtp = await SmtpClient.open(self.endpoints["smtp"])
            smtp.close()
            imap = await ImapClient.open(self.endpoints["imap"], self.accounts[0], self.secret)
            await imap.command("SELECT INBOX")
            imap.close()
        except Gone as error:
            raise ServiceFailed(f"the server does not serve: {error}\n{self.last_words()}") from error

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to the whole tree."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the process to be gone, and return its status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        status = await asyncio.to_thread(process.wait, 120)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return status

    async def stop(self) -> int:
        """SIGTERM, and wait."""
        assert self._process is not None
        self._process.terminate()
        return await self.ended()

    def last_words(self) -> str:
        """Return the end of the log."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-3000:]
        return ""
