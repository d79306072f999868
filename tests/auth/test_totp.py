"""Codes by time, beside the vectors of their RFCs and a program of others."""

from __future__ import annotations

import subprocess
from base64 import b32encode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from hongyan.auth.totp import (
    code_at,
    format_recovery_code,
    make_recovery_code,
    make_totp_secret,
    match_code,
    normalize_recovery_code,
    provisioning_uri,
    step_at,
)
from hongyan.clock import SystemRandom
from tests.support.debian import require

SECRET = b"12345678901234567890"  # RFC 6238 appendix B
STEP = 30


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == code


def test_a_code_of_now_or_one_step_off_is_taken_once() -> None:
    now = datetime.fromtimestamp(1_000_000_000, UTC)
    current = step_at(now)
    for step in (current - 1, current, current + 1):
        assert match_code(SECRET, code_at(SECRET, step), now, 0) == step
        assert match_code(SECRET, code_at(SECRET, step), now, step) is None, "it was taken"
        assert match_code(SECRET, code_at(SECRET, step), now, step + 1) is None, "a later one was taken"
    for step in (current - 2, current + 2):
        assert match_code(SECRET, code_at(SECRET, step), now, 0) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\ud800", "１２３４５６", "-12345", "000000\0"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert match_code(SECRET, code, datetime.fromtimestamp(1_000_000_000, UTC), 0) is None


def test_a_code_is_taken_with_the_space_that_authenticators_show() -> None:
    assert match_code(SECRET, "005 924", datetime.fromtimestamp(1234567890, UTC), 0) is not None


def test_the_uri_is_read_by_authenticators() -> None:
    parts = urlsplit(provisioning_uri(SECRET, "ann+x@hongyan.test", "mail.hongyan.test"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/mail.hongyan.test:ann%2Bx@hongyan.test"
    assert parse_qs(parts.query) == {"secret": [b32encode(SECRET).decode()], "issuer": ["mail.hongyan.test"]}


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    code = make_recovery_code(SystemRandom())
    assert normalize_recovery_code(f" {format_recovery_code(code).upper()} ") == code
    assert normalize_recovery_code(code[:-1]) is None
    assert len({make_recovery_code(SystemRandom()) for _ in range(100)}) == 100


@pytest.mark.interop
def test_oathtool_makes_the_same_codes() -> None:
    root = require("oathtool", "liboath0")
    secret = make_totp_secret(SystemRandom())
    command = [root / "usr/bin/oathtool", "--totp", "--now=2026-01-01 12:00:00 UTC", secret.hex()]
    library = next(root.glob("usr/lib/*"))
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"LD_LIBRARY_PATH": str(library)})
    assert told.stdout.strip() == code_at(secret, step_at(datetime(2026, 1, 1, 12, tzinfo=UTC)))
