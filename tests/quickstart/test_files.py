"""What quickstart writes can be used as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from hongyan.addresses import Address
from hongyan.clock import SystemClock
from hongyan.configuration.file import find_doubts_in, load_config
from hongyan.domains.certificates import Certificates
from hongyan.errors import AlreadyExists
from hongyan.quickstart.files import Plan, make_unit, write_files
from tests.support import debian


def plan(folder: Path, *, wants_request: bool = False) -> Plan:
    address = Address.parse("ann@geese.test")
    return Plan(address, "mail.geese.test", folder / "etc", folder / "data", "hongyan", wants_request)


def test_the_configuration_is_good_and_its_certificate_is_for_the_host(tmp_path: Path) -> None:
    written = write_files(plan(tmp_path), SystemClock())
    assert all(path.exists() for path in written)
    config = load_config(plan(tmp_path).config)
    assert find_doubts_in(plan(tmp_path).config) == []
    assert config.server.data == str(tmp_path / "data")
    assert {"mail.geese.test", "geese.test"} <= Certificates(config.certificates).names
    assert Path(config.certificates[0].key).stat().st_mode & 0o077 == 0


def test_a_request_is_made_for_the_same_key(tmp_path: Path) -> None:
    write_files(plan(tmp_path, wants_request=True), SystemClock())
    request = x509.load_pem_x509_csr(plan(tmp_path).request.read_bytes())
    certificate = x509.load_pem_x509_certificate((plan(tmp_path).tls / "certificate.pem").read_bytes())
    assert request.public_key() == certificate.public_key()


def test_a_configuration_that_is_there_stays(tmp_path: Path) -> None:
    write_files(plan(tmp_path), SystemClock())
    with pytest.raises(AlreadyExists, match="is there already"):
        write_files(plan(tmp_path), SystemClock())


def test_a_certificate_that_is_there_stays(tmp_path: Path) -> None:
    write_files(plan(tmp_path), SystemClock())
    before = (plan(tmp_path).tls / "key.pem").read_bytes()
    plan(tmp_path).config.unlink()
    write_files(plan(tmp_path), SystemClock())
    assert (plan(tmp_path).tls / "key.pem").read_bytes() == before


@pytest.mark.interop
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    root = debian.require("systemd")
    unit = tmp_path / "hongyan.service"
    unit.write_text(make_unit(plan(tmp_path)))
    command = [debian.find_program(root, "systemd-analyze"), "verify", str(unit)]
    done = subprocess.run(command, env=debian.run_environment(root), capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "hongyan.service" in line]
    assert said == []
