"""`serve`: what is refused at the start, what signals do, and what `make run` prints."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hongyan.clock import SystemClock
from hongyan.domains.local_authority import make_self_signed
from tests.support.ports import free_ports

PATIENCE = 30.0


class Service:
    """`hongyan serve` as a program; its log is its standard error output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event of the log."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"the service ended with {self.process.wait(PATIENCE)}, and without {name}")


@contextlib.contextmanager
def serve(*options: str, folder: Path, **streams: Any) -> Iterator[Service]:
    command = [sys.executable, "-m", "hongyan", "serve", *options]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8"}
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, **streams}
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes) as process:
        try:
            yield Service(process)
        finally:
            process.kill()


def write_config(folder: Path, smtp: int, imaps: int) -> Path:
    make_self_signed(folder / "tls", ["first.test"], SystemClock())
    file = folder / "hongyan.toml"
    file.write_text(
        f"""[server]
hostname = "mail.geese.test"
data = "data"
drain = 2
[[certificates]]
chain = "tls/certificate.pem"
key = "tls/key.pem"
[listen.smtp]
hosts = ["127.0.0.1"]
port = {smtp}
[listen.imaps]
hosts = ["127.0.0.1"]
port = {imaps}
"""
    )
    return file


def certificate_of(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, context.wrap_socket(plain) as tls:
        return tls.getpeercert(binary_form=True) or b""


def test_signals_reload_the_certificates_and_end_the_service(tmp_path: Path) -> None:
    smtp, imaps = free_ports(2)
    write_config(tmp_path, smtp, imaps)
    with serve(folder=tmp_path) as service:
        assert service.event("ready")["hostname"] == "mail.geese.test"
        first = certificate_of(imaps)
        make_self_signed(tmp_path / "tls", ["second.test"], SystemClock())
        service.process.send_signal(signal.SIGHUP)
        assert service.event("certificates-reloaded")["names"] == "second.test"
        assert certificate_of(imaps) != first
        with socket.create_connection(("127.0.0.1", smtp), PATIENCE) as connection:
            lines = connection.makefile("rb")
            assert lines.readline().startswith(b"220 mail.geese.test")
            service.process.send_signal(signal.SIGTERM)
            assert lines.readline().startswith(b"421")
        assert service.process.wait(PATIENCE) == 0


def refused(folder: Path, *options: str) -> str:
    """Return why the service does not start."""
    with serve(*options, folder=folder) as service:
        out, err = service.process.communicate(timeout=PATIENCE)
    assert (service.process.returncode, out) == (1, "")
    return str(err)


def test_a_broken_configuration_stops_the_start_with_every_reason(tmp_path: Path) -> None:
    file = tmp_path / "hongyan.toml"
    file.write_text("[queue]\nbatch = 0\n[imap]\nidel_timeout = 5\n")
    said = refused(tmp_path, "--config", str(file))
    assert said.splitlines() == [
        f"Error: {file}:2: queue: limits of the queue are 1 or more.",
        f'{file}:4: There is no setting "imap.idel_timeout". Did you mean "idle_timeout"?',
    ]
    file.write_text("")
    assert "Nothing is listened for" in refused(tmp_path, "--config", str(file))
    file.write_text('[[certificates]]\nchain = "none.pem"\nkey = "none.pem"\n[listen.imaps]\n')
    assert "No such file" in refused(tmp_path, "--config", str(file))
    assert "cannot be read" in refused(tmp_path, "--config", str(tmp_path / "none.toml"))


def test_a_port_that_is_taken_is_named_with_the_remedy_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        write_config(tmp_path, port, free_ports(1)[0])
        said = refused(tmp_path)
    assert f"smtp cannot listen on 127.0.0.1:{port}: another program does." in said
    assert "set listen.smtp.port" in said
    assert not (tmp_path / "data").exists()


def test_a_second_service_on_the_same_data_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    write_config(tmp_path, *free_ports(2))
    with serve(folder=tmp_path) as service:
        service.event("ready")
        assert f"process {service.process.pid}" in refused(tmp_path)
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(PATIENCE) == 0


def test_without_a_configuration_quickstart_is_named(tmp_path: Path) -> None:
    if not Path("/etc/hongyan/hongyan.toml").exists():
        assert "hongyan quickstart" in refused(tmp_path)


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_development_prints_how_to_log_in_and_what_to_try(tmp_path: Path, language: str) -> None:
    from tests.support.cli import Cli

    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    out = tmp_path / "out"
    script = (
        "import sys\nfrom hongyan import demonstration\n"
        f"demonstration.DEVELOPMENT_PORTS = {ports!r}\n"
        "from hongyan.cli import serve\n"
        "from hongyan.__main__ import main\nsys.argv = ['hongyan', 'serve', '--development']\nmain()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "LC_ALL": language}
    command = [sys.executable, "-c", script]
    tables = []
    for _ in range(2):
        with (
            out.open("w") as told,
            subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=told, stderr=subprocess.PIPE, text=True
            ) as process,
        ):
            assert process.stderr is not None
            assert "ready" in process.stderr.readline()
            Cli(tmp_path / "var/development").json("account", "list")
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        tables.append(out.read_text())
    assert tables[0] == tables[1]
    schemes = {"submissions": "smtps", "submission": "smtp", "imaps-certificate": "imaps"}
    for service, port in ports.items():
        assert f" {schemes.get(service, service)}://localhost:{port}" in tables[0]
    assert "admin@hongyan.test" in tables[0]
    assert "curl --cacert var/development/tls/ca.pem --user 'user@hongyan.test:" in tables[0]
    assert ("管理员" in tables[0]) == (language == "zh_CN.UTF-8")


PORTS = ("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "imaps-certificate", "http", "https")
