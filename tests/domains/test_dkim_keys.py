"""DKIM keys in files and in DNS."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hongyan.addresses import Domain
from hongyan.domains.dkim_keys import (
    KeyKind,
    load_key,
    make_key,
    make_selector,
    public_record,
    save_key,
)
from hongyan.errors import AlreadyExists, ConfigurationError
from hongyan.mailauth.dkim_record import parse_key_record

DOMAIN = Domain("example.org")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_survives_its_file_and_its_record_is_read_by_verifiers(kind: KeyKind, tmp_path: Path) -> None:
    key = make_key(DOMAIN, make_selector(kind, NOW), kind)
    path = save_key(tmp_path / "dkim", key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    again = load_key(tmp_path / "dkim", DOMAIN, key.selector)
    record = public_record(again)
    assert record == public_record(key)
    assert record.name == f"{key.selector}._domainkey.example.org"
    public = parse_key_record("".join(record.strings).encode()).public
    assert public.public_bytes_raw() if kind is KeyKind.ED25519 else public.key_size == 2048


def test_a_record_is_cut_into_strings_that_fit() -> None:
    record = public_record(make_key(DOMAIN, "s", KeyKind.RSA))
    assert [len(string) for string in record.strings] == [255, len(record.text) - 255]
    assert record.zone_line.startswith('s._domainkey.example.org. IN TXT ( "v=DKIM1; k=rsa; p=')


def test_selectors_name_month_and_kind() -> None:
    assert make_selector(KeyKind.RSA, NOW) == "202611r"
    assert make_selector(KeyKind.ED25519, NOW) == "202611e"


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = save_key(tmp_path, make_key(DOMAIN, "s", KeyKind.ED25519))
    octets = path.read_bytes()
    with pytest.raises(AlreadyExists):
        save_key(tmp_path, make_key(DOMAIN, "s", KeyKind.ED25519))
    assert path.read_bytes() == octets
    assert [file.name for file in path.parent.iterdir()] == ["s.pem"]


def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = save_key(tmp_path, make_key(DOMAIN, "s", KeyKind.ED25519))
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_key(tmp_path, DOMAIN, "s")


def test_what_is_no_usable_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = save_key(tmp_path, make_key(DOMAIN, "s", KeyKind.ED25519))
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigurationError) as refused:
        load_key(tmp_path, DOMAIN, "s")
    assert "c2VjcmV0" not in str(refused.value)
    key = generate_private_key(SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match="RSA and Ed25519"):
        load_key(tmp_path, DOMAIN, "s")
    with pytest.raises(ConfigurationError, match="No such file"):
        load_key(tmp_path, DOMAIN, "absent")


@pytest.mark.parametrize("selector", ["", ".", "..", "a/b", "A", "-a", "a..b", "a\n", "a" * 64])
def test_a_selector_cannot_become_another_path(selector: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load_key(tmp_path, DOMAIN, selector)


def test_an_address_literal_has_no_keys() -> None:
    with pytest.raises(ConfigurationError):
        make_key(Domain("[192.0.2.1]"), "s", KeyKind.ED25519)
