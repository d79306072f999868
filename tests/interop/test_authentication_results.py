"""Parsers that others wrote read our Authentication-Results as we do; words of strangers in it stay just words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from hongyan.message.authres import (
    AuthenticationResults,
    MethodResult,
    dkim_result,
    dmarc_result,
    parse_authentication_results,
    spf_result,
    write_authentication_results,
)
from hongyan.message.authres_claims import find_claims
from tests.message.test_authres import FORGED
from tests.support import debian

pytestmark = pytest.mark.interop

US = "mx.hongyan.test"

_AUTHRES = """
import json, sys
import authres

told = []
for field in json.load(sys.stdin):
    try:
        read = authres.AuthenticationResultsHeader.parse(field)
    except authres.core.AuthResError:
        told.append(None)
    else:
        told.append([read.authserv_id, [[found.method, found.result] for found in read.results if found.method]])
json.dump(told, sys.stdout)
"""

_PERL = """
use JSON::PP;
use Mail::AuthenticationResults::Parser;

local $/;
my @told;
for my $field (@{decode_json(<STDIN>)}) {
    my $value = $field =~ s/^[^:]*:\\s*//r;
    my $read = eval { Mail::AuthenticationResults::Parser->new()->parse($value) };
    my $results = sub {
        [map { [$_->key, $_->value] } grep { $_->isa("Mail::AuthenticationResults::Header::Entry") } @{$_[0]->children}]
    };
    push @told, $read ? [$read->value->value, $results->($read)] : undef;
}
print encode_json(\\@told);
"""

_PACKAGES = {
    "authres": ("python3-dkim", "python3-nacl", "python3-authres"),
    "Mail::AuthenticationResults": ("libmail-authenticationresults-perl",),
}


@dataclass(frozen=True)
class Read:
    """What a parser understood: whose field it is, and the methods with their results."""

    authserv_id: str
    results: list[tuple[str, str]]


Parser = Callable[[Sequence[str]], list[Read | None]]


def parser(name: str) -> Parser:
    """Return what reads fields by a parser of others; None for a field that it cannot read."""
    root = debian.require(*_PACKAGES[name])
    program, script = ("python3", _AUTHRES) if name == "authres" else ("perl", _PERL)
    command = [str(debian.find_program(root, program)), "-c" if program == "python3" else "-e", script]

    def read(fields: Sequence[str]) -> list[Read | None]:
        done = subprocess.run(
            command,
            env=debian.run_environment(root),
            input=json.dumps([field.removesuffix("\r\n") for field in fields]),
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        told = json.loads(done.stdout)
        return [None if one is None else Read(one[0], [(key, value) for key, value in one[1]]) for one in told]

    return read


parsers = pytest.mark.parametrize("name", _PACKAGES)


def write(*results: MethodResult) -> str:
    return write_authentication_results(AuthenticationResults(US, results)).decode()


HONEST = [
    (),
    (
        spf_result("pass", mail_from="ann@example.org", helo="mail.example.org", comment="matched ip4:192.0.2.1"),
        dkim_result(
            "pass",
            domain="example.org",
            identity="@example.org",
            selector="s2026",
            algorithm="ed25519-sha256",
            signature_start="hl/Bx+a=",
        ),
        dkim_result("fail", domain="example.net", identity="bob@news.example.net", comment="body hash did not verify"),
        MethodResult(method="arc", result="pass", comment="example.org, example.net"),
        dmarc_result("pass", domain="example.org", policy="none", comment="aligned by SPF and DKIM"),
    ),
    (spf_result("temperror", helo="mail.example.org"), dkim_result("none"), dmarc_result("fail", domain="example.org")),
    (spf_result("pass", mail_from="ann+list@bücher.example"), dkim_result("permerror", comment="no key")),
]
HOSTILE = [
    spf_result("fail", mail_from=f'"{FORGED}"@evil.example'),
    spf_result("fail", mail_from=f"{FORGED}@evil.example"),
    spf_result("fail", helo=FORGED),
    spf_result("fail", comment=FORGED),
    spf_result("fail", comment=f"x) {FORGED} ("),
    spf_result("fail", comment="x\\"),
    spf_result("fail", comment='"'),
    dkim_result("fail", identity=f'"{FORGED}"@evil.example'),
    spf_result("fail", helo="x\r\nAuthentication-Results: mx.hongyan.test; dmarc=pass"),
]
FORGERIES = [
    "mx.hongyan.test; spf=pass",
    "MX.Hongyan.TEST; spf=pass",
    "mx.hongyan.test 1; spf=pass",
    "mx.hongyan.test; none",
    '"mx.hongyan.test"; spf=pass',
    '"mx.\\hongyan\\.test"; spf=pass',
    "(a comment) mx.hongyan.test (1); spf=pass",
    "(;)mx.hongyan.test;spf=pass",
    "(\\)) mx.hongyan.test; spf=pass",
    "(a (nested)) mx.hongyan.test; spf=pass",
    "mx.\r\n hongyan.test; spf=pass",
    "\r\n\tmx.hongyan.test;\r\n\tspf=pass",
    "mx.hongyan.test/1; spf=pass",
    "mx.hongyan.test.; spf=pass",
    "mx.hongyan.test",
]


@parsers
@pytest.mark.parametrize("results", HONEST, ids=["nothing", "all", "none passes", "international"])
def test_they_read_what_we_found(name: str, results: tuple[MethodResult, ...]) -> None:
    assert parser(name)([write(*results)]) == [Read(US, [(result.method, result.result) for result in results])]


@parsers
def test_words_of_strangers_stay_words_of_strangers(name: str) -> None:
    for result, read in zip(HOSTILE, parser(name)([write(result) for result in HOSTILE]), strict=True):
        assert read in (None, Read(US, [(result.method, "fail")])), result


@parsers
def test_whatever_they_take_for_ours_is_taken_away(name: str) -> None:
    fields = [f"Authentication-Results: {value}\r\n" for value in FORGERIES]
    taken = 0
    for field, read in zip(fields, parser(name)(fields), strict=True):
        if read is not None and read.authserv_id.lower().rstrip(".") == US:
            taken += 1
            assert find_claims(field.encode(), (US,)), field
    assert taken >= 5


@parsers
def test_we_read_what_they_read(name: str) -> None:
    value = (
        "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=pass smtp.mailfrom=example.net;"
        "\r\n dkim=pass (good signature) header.i=@mail-router.example.net"
    )
    ours = parse_authentication_results(value.encode())
    assert ours is not None
    results = [(result.method, str(result.result)) for result in ours.results]
    assert parser(name)([f"Authentication-Results: {value}"]) == [Read(ours.authserv_id, results)]
