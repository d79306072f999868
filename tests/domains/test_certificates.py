"""Certificates: which one for whom, from when on, and what is refused."""

from __future__ import annotations

import os
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hongyan import telemetry
from hongyan.clock import SystemClock
from hongyan.domains.certificates import CertificateFiles, Certificates
from hongyan.domains.local_authority import make_local_certificate, make_request, make_self_signed
from hongyan.errors import ConfigurationError
from tests.support.clock import FakeClock


def shake(context: ssl.SSLContext, name: str | None = None, client: ssl.SSLContext | None = None) -> ssl.SSLObject:
    """Let a client and a server meet in memory; return the client's end."""
    if client is None:
        client = ssl._create_unverified_context()
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for end in (theirs, ours):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    theirs.do_handshake()
    return theirs


def name_shown(context: ssl.SSLContext, name: str | None) -> str:
    octets = shake(context, name).getpeercert(binary_form=True)
    assert octets is not None
    alternatives = x509.load_der_x509_certificate(octets).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return str(alternatives.value.get_values_for_type(x509.DNSName)[0])


def self_signed(folder: Path, *names: str) -> CertificateFiles:
    return make_self_signed(folder, names, SystemClock())


@pytest.fixture
def files(tmp_path: Path) -> list[CertificateFiles]:
    return [
        self_signed(tmp_path / "one", "mail.one.test", "one.test"),
        self_signed(tmp_path / "two", "*.two.test"),
        self_signed(tmp_path / "three", "mail.two.test", "mail.one.test"),
    ]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("one.test", "mail.one.test"),
        ("ONE.test", "mail.one.test"),
        ("imap.two.test", "*.two.test"),
        ("mail.two.test", "mail.two.test"),
        ("a.b.two.test", "mail.one.test"),
        ("two.test", "mail.one.test"),
        ("unknown.test", "mail.one.test"),
        (None, "mail.one.test"),
    ],
)
def test_the_name_that_is_asked_for_chooses_the_certificate(
    files: list[CertificateFiles], asked: str | None, shown: str
) -> None:
    context = Certificates(files).context_finder()()
    assert name_shown(context, asked) == shown


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_versions_and_weak_ciphers_are_refused(files: list[CertificateFiles]) -> None:
    context = Certificates(files).context_finder()()
    old = ssl._create_unverified_context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake(context, None, old)
    weak = ssl._create_unverified_context()
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        shake(context, None, weak)
    for cipher in context.get_ciphers():
        assert cipher["aead"]


def test_a_listener_may_ask_for_tls_1_3_whatever_name_is_asked_for(files: list[CertificateFiles]) -> None:
    certificates = Certificates(files)
    old = ssl._create_unverified_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for name in (None, "imap.two.test"):
        assert shake(certificates.context_finder("intermediate")(), name, old).version() == "TLSv1.2"
        with pytest.raises(ssl.SSLError):
            shake(certificates.context_finder("modern")(), name, old)
        assert shake(certificates.context_finder("modern")(), name).version() == "TLSv1.3"


async def test_changed_files_are_in_service_from_the_next_handshake_on(
    files: list[CertificateFiles], tmp_path: Path
) -> None:
    certificates = Certificates(files)
    find_context = certificates.context_finder()
    assert not await certificates.reload()
    self_signed(tmp_path / "one", "new.one.test")
    assert name_shown(find_context(), None) == "mail.one.test"
    assert await certificates.reload()
    assert name_shown(find_context(), None) == "new.one.test"
    assert "new.one.test" in certificates.names
    assert not await certificates.reload()


@pytest.mark.parametrize("damage", ["gone", "empty", "key of another", "text"])
async def test_what_cannot_be_read_leaves_the_former_certificate_in_service(
    files: list[CertificateFiles], tmp_path: Path, damage: str
) -> None:
    certificates = Certificates(files)
    match damage:
        case "gone":
            Path(files[0].key).unlink()
        case "empty":
            Path(files[0].chain).write_bytes(b"")
        case "key of another":
            shutil.copy(files[1].key, files[0].key)
        case "text":
            Path(files[0].chain).write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    with telemetry.capture() as events:
        assert not await certificates.reload()
    assert [event.msg for event in events] == ["certificate-not-reloaded"]
    assert str(tmp_path / "one") in str(events[0].fields["cause"])
    assert name_shown(certificates.context_finder()(), None) == "mail.one.test"
    with pytest.raises(ConfigurationError):
        Certificates(files)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    files = self_signed(tmp_path, "one.test")
    key = ec.generate_private_key(ec.SECP256R1())
    Path(files.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigurationError, match="password"):
        Certificates([files])


def test_a_key_that_others_may_read_is_told(tmp_path: Path) -> None:
    files = self_signed(tmp_path, "one.test")
    os.chmod(files.key, 0o644)
    with telemetry.capture() as events:
        Certificates([files])
    assert [event.msg for event in events] == ["key-readable-by-others"]


def test_no_certificate_at_all_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        Certificates([])
    with pytest.raises(ValueError, match="both"):
        CertificateFiles(chain="x")


def test_the_end_of_each_certificate_is_a_metric(files: list[CertificateFiles]) -> None:
    certificates = Certificates(files)
    ends = telemetry.metrics.cert_expiry_seconds.labels("mail.one.test")._value.get()
    assert ends == certificates.first_end.timestamp()
    assert timedelta(days=395) < certificates.first_end - datetime.now(UTC) < timedelta(days=398)


def test_programs_that_trust_the_local_authority_trust_its_certificate(tmp_path: Path) -> None:
    local = make_local_certificate(tmp_path, "hongyan.test", SystemClock())
    context = Certificates([local.files]).context_finder()()
    client = ssl.create_default_context(cafile=str(local.authority))
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    for name in ("localhost", "127.0.0.1", "::1", "hongyan.test", "mail.hongyan.test", "mta-sts.hongyan.test"):
        assert shake(context, name, client).version() == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context, "other.test", client)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context, "localhost", ssl.create_default_context())


def test_a_second_start_finds_the_same_certificate(tmp_path: Path) -> None:
    first = make_local_certificate(tmp_path, "hongyan.test", SystemClock())
    octets = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert make_local_certificate(tmp_path, "hongyan.test", SystemClock()) == first
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == octets
    assert len(octets) == 4


def test_another_domain_gets_another_certificate_by_the_same_authority(tmp_path: Path) -> None:
    make_local_certificate(tmp_path, "one.test", SystemClock())
    authority = (tmp_path / "ca.pem").read_bytes()
    local = make_local_certificate(tmp_path, "two.test", SystemClock())
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert "mail.two.test" in Certificates([local.files]).names


def test_what_ends_soon_or_is_damaged_is_made_anew(tmp_path: Path, clock: FakeClock) -> None:
    make_local_certificate(tmp_path, "one.test", clock)
    chain, authority = (tmp_path / "certificate.pem").read_bytes(), (tmp_path / "ca.pem").read_bytes()
    clock.advance(timedelta(days=370))
    make_local_certificate(tmp_path, "one.test", clock)
    assert (tmp_path / "certificate.pem").read_bytes() != chain
    assert (tmp_path / "ca.pem").read_bytes() == authority
    (tmp_path / "ca-key.pem").write_bytes(b"")
    local = make_local_certificate(tmp_path, "one.test", clock)
    assert (tmp_path / "ca.pem").read_bytes() != authority
    issuer = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    x509.load_pem_x509_certificate(Path(local.files.chain).read_bytes()).verify_directly_issued_by(issuer)


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        make_local_certificate(tmp_path / "new", "one.test", SystemClock())
    finally:
        os.umask(former)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes["key.pem"] == modes["ca-key.pem"] == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_request_names_all_and_keeps_its_key(tmp_path: Path) -> None:
    key_path = tmp_path / "key.pem"
    first = x509.load_pem_x509_csr(make_request(key_path, ["mail.one.test", "one.test"]))
    second = x509.load_pem_x509_csr(make_request(key_path, ["mail.one.test"]))
    assert first.is_signature_valid
    assert first.public_key() == second.public_key()
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mail.one.test", "one.test"]
    assert key_path.stat().st_mode & 0o777 == 0o600
