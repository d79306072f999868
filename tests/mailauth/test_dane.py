"""TLSA records against chains of certificates, as RFC 7672 wants them judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.dane import DaneFault, DaneMismatch, tlsa_name, usable_records, verify_chain
from hongyan.mailauth.resolver import TlsaRecord
from tests.support.authority import Authority, tlsa

GEESE = Authority()
FOXES = Authority("Foxes")
MX = GEESE.issue("mx.example.net", "*.wild.example")
NAMES = ("mx.example.net", "example.net")
NOW = datetime.now(UTC)


@pytest.mark.parametrize(("selector", "matching"), list(product((0, 1), (0, 1, 2))))
def test_the_servers_own_certificate_or_key_is_known_in_each_form(selector: int, matching: int) -> None:
    record = tlsa(3, selector, matching, MX.certificate)
    assert usable_records([record]) == (record,)
    assert verify_chain(MX.chain, [record], NAMES, NOW) is record
    with pytest.raises(DaneMismatch):
        verify_chain(FOXES.issue("mx.example.net").chain, [record], NAMES, NOW)


def test_of_the_servers_own_certificate_neither_name_nor_date_counts() -> None:
    old = GEESE.issue("elsewhere.example", days=(-3, -1))
    assert verify_chain(old.chain[:1], [tlsa(3, 1, 1, old.certificate)], NAMES, NOW)


def test_a_record_of_usage_3_does_not_vouch_for_an_authority() -> None:
    with pytest.raises(DaneMismatch):
        verify_chain(MX.chain, [tlsa(3, 1, 1, GEESE.signer.certificate)], NAMES, NOW)


@pytest.mark.parametrize(("selector", "matching"), list(product((0, 1), (0, 1, 2))))
def test_an_authority_on_the_way_is_known_in_each_form(selector: int, matching: int) -> None:
    for authority in (GEESE.root, GEESE.signer):
        record = tlsa(2, selector, matching, authority.certificate)
        assert verify_chain(MX.chain, [record], NAMES, NOW) is record


def test_an_authority_that_stands_whole_in_the_record_need_not_be_shown() -> None:
    assert verify_chain(MX.chain[:2], [tlsa(2, 0, 0, GEESE.root.certificate)], NAMES, NOW)
    with pytest.raises(DaneMismatch):
        verify_chain(MX.chain[:2], [tlsa(2, 0, 1, GEESE.root.certificate)], NAMES, NOW)


def test_below_an_authority_names_and_dates_count() -> None:
    record = tlsa(2, 0, 1, GEESE.root.certificate)
    with pytest.raises(DaneFault) as other:
        verify_chain(MX.chain, [record], ("mx.elsewhere.example",), NOW)
    assert other.value.cause == "the certificate is for another name"
    with pytest.raises(DaneFault) as old:
        verify_chain(MX.chain, [record], NAMES, NOW + timedelta(days=5))
    assert old.value.cause == "the certificate is not valid at this time"
    assert verify_chain(MX.chain, [record], ("nobody.example", "a.wild.example"), NOW)


def test_the_way_up_to_the_authority_has_to_hold() -> None:
    record = tlsa(2, 1, 1, GEESE.root.certificate)
    forged = FOXES.issue("mx.example.net")
    with pytest.raises(DaneFault, match="no way up"):  # the authority is shown, and has signed nothing here
        verify_chain([*forged.chain, GEESE.root.certificate.public_bytes(Encoding.DER)], [record], NAMES, NOW)
    nobody = GEESE.no_authority()
    with pytest.raises(DaneFault, match="no way up"):  # a certificate of a server signs no other
        verify_chain(GEESE.issue("mx.example.net", signer=nobody).chain, [record], NAMES, NOW)


def test_one_record_that_fits_is_enough() -> None:
    wrong = tlsa(3, 1, 1, FOXES.root.certificate)
    right = tlsa(2, 1, 2, GEESE.signer.certificate)
    assert verify_chain(MX.chain, [wrong, right], NAMES, NOW) is right


@pytest.mark.parametrize(
    "record",
    [
        tlsa(0, 1, 1, MX.certificate),
        tlsa(1, 1, 1, MX.certificate),
        TlsaRecord(4, 1, 1, bytes(32)),
        TlsaRecord(3, 2, 1, bytes(32)),
        TlsaRecord(3, 1, 3, bytes(32)),
        TlsaRecord(3, 1, 1, bytes(31)),
        TlsaRecord(3, 1, 2, bytes(32)),
        TlsaRecord(2, 0, 0, b"no certificate"),
        TlsaRecord(3, 1, 0, b""),
        TlsaRecord(255, 255, 255, b"private"),
    ],
)
def test_what_smtp_has_no_use_for_does_not_count(record: TlsaRecord) -> None:
    assert usable_records([record]) == ()


def test_a_server_without_readable_certificates_fits_nothing() -> None:
    for chain in ([], [b""], [b"0\x00"]):
        with pytest.raises(DaneFault):
            verify_chain(chain, [tlsa(3, 1, 1, MX.certificate)], NAMES, NOW)


def test_records_stand_below_the_port() -> None:
    assert tlsa_name("mx.example.net", 25) == "_25._tcp.mx.example.net"


@given(st.lists(st.builds(TlsaRecord, st.integers(0, 4), st.integers(0, 2), st.integers(0, 3), st.binary(max_size=64))))
def test_records_of_strangers_never_fit_by_accident(records: list[TlsaRecord]) -> None:
    with pytest.raises(DaneFault):
        verify_chain(MX.chain, usable_records(records), NAMES, NOW)


@pytest.mark.parametrize(
    ("before", "strange"),
    [
        ("06072a8648ce3d02", 0x7F),  # a key of a kind that nobody knows
        ("a0030201", 0x12),  # X.509 version 19
        ("a00302010202", 0xFF),  # a serial number of another length
    ],
)
def test_certificates_of_a_kind_that_nobody_knows_fit_no_record(before: str, strange: int) -> None:
    octets = bytearray(MX.chain[0])
    octets[octets.index(bytes.fromhex(before)) + len(bytes.fromhex(before))] = strange
    leaf = bytes(octets)
    for usage, chain in product((2, 3), ([leaf], [leaf, *MX.chain[1:]], [MX.chain[0], leaf])):
        record = tlsa(usage, 1, 1, FOXES.root.certificate)
        with pytest.raises(DaneFault):
            verify_chain(chain, [record], NAMES, NOW)
    for record in usable_records([TlsaRecord(2, 0, 0, leaf), TlsaRecord(3, 0, 0, leaf)]):
        with pytest.raises(DaneFault):
            verify_chain(MX.chain, [record], NAMES, NOW)
