"""The authority of client certificates: made once, kept to itself, and what it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hongyan.addresses import Address
from hongyan.auth.client_authority import ClientAuthority, load_client_authority, read_shown
from hongyan.clock import SystemRandom
from hongyan.errors import ConfigurationError
from hongyan.secret import Secret
from hongyan.types import AccountId
from tests.support.clock import FakeClock

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def load(path: Path) -> ClientAuthority:
    return load_client_authority(path, "mail.geese.test", FakeClock(_NOW), SystemRandom())


def test_an_authority_is_made_once_and_signs_for_clients_alone(tmp_path: Path) -> None:
    authority = load(tmp_path / "authority.pem")
    assert load(tmp_path / "authority.pem").certificate == authority.certificate
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]
    assert (tmp_path / "authority.pem").stat().st_mode & 0o777 == 0o600
    issued = authority.issue(
        AccountId(7), Address.parse("ann@geese.test"), "phone", Secret("goose"), _NOW, timedelta(days=2), SystemRandom()
    )
    made = x509.load_pem_x509_certificate(issued.pem.reveal())
    made.verify_directly_issued_by(authority.certificate)
    shown = read_shown(made.public_bytes(Encoding.DER))
    assert (shown.account, shown.fingerprint) == (7, made.fingerprint(SHA256()))
    assert made.not_valid_after_utc == issued.expires_at == _NOW + timedelta(days=2)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert "PRIVATE" not in repr(issued)


def test_a_certificate_does_not_outlive_its_authority(tmp_path: Path) -> None:
    authority = load(tmp_path / "authority.pem")
    late = authority.certificate.not_valid_after_utc - timedelta(days=1)
    issued = authority.issue(
        AccountId(1 << 62), Address.parse("雁@geese.test"), "x", Secret("y"), late, timedelta(days=9), SystemRandom()
    )
    assert issued.expires_at == authority.certificate.not_valid_after_utc
    shown = read_shown(x509.load_pem_x509_certificate(issued.pem.reveal()).public_bytes(Encoding.DER))
    assert shown.account == 1 << 62


def test_an_authority_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load(tmp_path / "authority.pem")
    (tmp_path / "authority.pem").chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load(tmp_path / "authority.pem")


@pytest.mark.parametrize("octets", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_that_holds_none_is_not_written_over(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "authority.pem"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="restore it from a backup"):
        load(path)
    assert path.read_bytes() == octets
