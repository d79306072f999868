"""DKIM and ARC with programs of others: OpenDKIM and dkimpy verify what we sign, and we verify what they sign."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hongyan.clock import SystemClock
from hongyan.mailauth.arc import ArcStatus, ArcVerifier
from hongyan.mailauth.dkim import DkimStatus, SigningKey, Verifier, sign_message
from tests.support import debian
from tests.support.arc import Relay, add_chain, relays_dns

pytestmark = pytest.mark.interop

RSA = SigningKey("example.org", "rsa", generate_private_key(65537, 2048))
ED25519 = SigningKey("example.org", "ed", Ed25519PrivateKey.generate())
KEYS = {"rsa": RSA, "ed25519": ED25519}
RELAY = Relay(RSA)  # dkimpy knows no other algorithm for ARC
DNS = relays_dns(RELAY, Relay(ED25519))
RECORDS = {name: str(texts[0], "ascii") for (_, name), texts in DNS.records.items() if isinstance(texts[0], bytes)}

HEADER = (
    b"From: Ann <ann@example.org>\r\n"
    b"To: bob@example.net,\r\n\tcarol@example.net\r\n"
    b"Subject: Wild\r\n  goose\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
)
BODIES = {
    "text": b"Letters\t come  \r\n\r\n by goose. \r\n\r\n\r\n",
    "empty": b"",
    "lines": b"\r\n\r\n",
    "long": b"".join(b"%d \t geese  \r\n" % number for number in range(5000)),
    "eight-bit": "鸿雁在云，鱼在水\r\n".encode(),
}
FORMS = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed")

bodies = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
algorithms = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
forms = pytest.mark.parametrize("form", FORMS)


def sign(key: SigningKey, body: bytes) -> bytes:
    message = HEADER + b"\r\n" + body
    return sign_message(message, [key], SystemClock().now()) + message


async def require_pass(message: bytes, key: SigningKey) -> None:
    header, _, body = message.partition(b"\r\n\r\n")
    verifier = Verifier(header + b"\r\n", SystemClock().now())
    verifier.update(body)
    (result,) = await verifier.results(DNS)
    assert (result.status, result.reason, result.algorithm) == (DkimStatus.PASS, "", key.algorithm)


def private_pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# -- OpenDKIM ---------------------------------------------------------------------------------------------------------


def opendkim(folder: Path, message: bytes, **settings: str) -> subprocess.CompletedProcess[str]:
    """Let OpenDKIM work on one message, as it would as a milter."""
    root = debian.require("opendkim")
    settings |= {"Syslog": "no", "RequireSafeKeys": "no"}
    (folder / "opendkim.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    (folder / "message").write_bytes(message)
    return subprocess.run(
        [debian.find_program(root, "opendkim"), "-x", folder / "opendkim.conf", "-t", folder / "message"],
        env=debian.run_environment(root),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )


def opendkim_verifies(folder: Path, message: bytes) -> bool:
    (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in RECORDS.items()))
    told = opendkim(folder, message, Mode="v", TestPublicKeys=str(folder / "keys"))
    assert ("succeeded" in told.stdout + told.stderr) != ("failed" in told.stdout + told.stderr), told
    return "succeeded" in told.stdout + told.stderr


@bodies
@algorithms
def test_opendkim_verifies_what_we_sign(tmp_path: Path, key: SigningKey, body: bytes) -> None:
    assert opendkim_verifies(tmp_path, sign(key, body))


@algorithms
def test_opendkim_sees_that_somebody_changed_it(tmp_path: Path, key: SigningKey) -> None:
    message = sign(key, BODIES["text"])
    assert not opendkim_verifies(tmp_path, message.replace(b"Wild", b"Tame"))
    assert not opendkim_verifies(tmp_path, message.replace(b"by goose", b"by swan"))


# What OpenDKIM 2.11 signs with Ed25519 and a simple header, OpenDKIM and dkimpy refuse as we do.
_OPENDKIM_SIGNS = [("rsa", form) for form in FORMS] + [
    ("ed25519", form) for form in FORMS if form.startswith("relaxed")
]


@pytest.mark.parametrize(
    ("key", "form"), [(KEYS[key], form) for key, form in _OPENDKIM_SIGNS], ids=map("-".join, _OPENDKIM_SIGNS)
)
@bodies
async def test_we_verify_what_opendkim_signs(tmp_path: Path, key: SigningKey, body: bytes, form: str) -> None:
    (tmp_path / "private.pem").write_bytes(private_pem(key))
    message = HEADER + b"\r\n" + body
    told = opendkim(
        tmp_path,
        message,
        Mode="s",
        Domain=key.domain,
        Selector=key.selector,
        KeyFile=str(tmp_path / "private.pem"),
        Canonicalization=form,
        SignatureAlgorithm=key.algorithm,
    )
    field = told.stdout[told.stdout.index("DKIM-Signature:") :].strip().replace("\n", "\r\n")
    await require_pass(field.encode() + b"\r\n" + message, key)


# -- dkimpy -----------------------------------------------------------------------------------------------------------

_DKIMPY = """
import json, sys
import dkim

task = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
records = task["records"]


def dns(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode() or None


if task["do"] == "verify":
    told = b"pass" if dkim.verify(message, dnsfunc=dns) else b"fail"
elif task["do"] == "verify-chain":
    told = dkim.arc_verify(message, dnsfunc=dns)[0]
elif task["do"] == "sign":
    header, body = task["form"].encode().split(b"/")
    told = dkim.sign(
        message, task["selector"].encode(), task["domain"].encode(), task["key"].encode(),
        canonicalize=(header, body), signature_algorithm=task["algorithm"].encode(),
    )
else:
    told = b"".join(dkim.arc_sign(
        message, task["selector"].encode(), task["domain"].encode(), task["key"].encode(), b"lists.example.org",
    ))
sys.stdout.buffer.write(told)
"""


def dkimpy(do: str, message: bytes, *, key: SigningKey | None = None, form: str = "") -> bytes:
    root = debian.require("python3-dkim", "python3-nacl", "python3-authres")
    task = {"do": do, "records": RECORDS, "form": form}
    if key is not None:
        task |= {"selector": key.selector, "domain": key.domain, "algorithm": key.algorithm, "key": dkimpy_key(key)}
    done = subprocess.run(
        [debian.find_program(root, "python3"), "-c", _DKIMPY, json.dumps(task)],
        env=debian.run_environment(root),
        input=message,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def dkimpy_key(key: SigningKey) -> str:
    if isinstance(key.private, Ed25519PrivateKey):
        return b64encode(key.private.private_bytes_raw()).decode()
    return private_pem(key).decode()


@bodies
@algorithms
def test_dkimpy_verifies_what_we_sign(key: SigningKey, body: bytes) -> None:
    assert dkimpy("verify", sign(key, body)) == b"pass"


@algorithms
def test_dkimpy_sees_that_somebody_changed_it(key: SigningKey) -> None:
    assert dkimpy("verify", sign(key, BODIES["text"]).replace(b"by goose", b"by swan")) == b"fail"


@forms
@algorithms
async def test_we_verify_what_dkimpy_signs(key: SigningKey, form: str) -> None:
    for body in BODIES.values():
        message = HEADER + b"\r\n" + body
        await require_pass(dkimpy("sign", message, key=key, form=form) + message, key)


async def test_we_follow_a_chain_that_dkimpy_sealed() -> None:
    results = b"Authentication-Results: lists.example.org; arc=%b; spf=pass smtp.mailfrom=ann@example.org\r\n"
    message = HEADER + b"\r\n" + BODIES["text"]
    for status in (b"none", b"pass", b"pass"):
        message = dkimpy("seal", results % status + message, key=RSA) + message
    header, _, body = message.partition(b"\r\n\r\n")
    verifier = ArcVerifier(header + b"\r\n", SystemClock().now())
    verifier.update(body)
    found = await verifier.finish(DNS)
    assert (found.status, found.reason, found.instance) == (ArcStatus.PASS, "", 3)
    assert found.domains == ("example.org",) * 3
    assert all(hop.results.startswith(b"lists.example.org;") for hop in found.hops)


def test_dkimpy_follows_the_chains_that_our_tests_seal() -> None:
    chain = add_chain(HEADER, BODIES["text"], [RELAY, RELAY]) + b"\r\n" + BODIES["text"]
    assert dkimpy("verify-chain", chain) == b"pass"
    assert dkimpy("verify-chain", chain.replace(b"Wild", b"Tame")) == b"fail"
