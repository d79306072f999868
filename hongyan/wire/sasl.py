"""SASL mechanisms as step machines (RFC 4422): what the client said in, what to do next out.

A machine looks nothing up and never decides who may come in. Each call returns a `Step`:

    Challenge        send it, and hand the client's answer to `respond`
    NeedVerifiers    fetch what SCRAM needs to know of this name, and hand it to the step's `supply`
    PasswordOffered  check the password; if it is right, call `accept`
    IdentityOffered  look whether what TLS has shown may act as this identity; if so, call `accept`
    ProofOffered     `matched` says which verifier fits, None says none does; if all is well, call `accept`
    Accepted         tell the client so

Whoever refuses drops the machine. `SaslFault` says that the client broke the mechanism.

EXTERNAL (RFC 4422 appendix A), PLAIN (RFC 4616), LOGIN (never standardised; SMTP clients want it) and
SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: a client that asks for it is refused. All
verifiers of an account share salt and count, so that one exchange tries each of them. An unknown name must
be given a salt as stable as a known one's, or the exchange tells names apart.
"""

from __future__ import annotations

__all__ = [
    "MECHANISMS",
    "SCRAM_ITERATIONS",
    "Accepted",
    "Cancelled",
    "Challenge",
    "Exchange",
    "External",
    "IdentityOffered",
    "Login",
    "NeedVerifiers",
    "PasswordOffered",
    "Plain",
    "ProofOffered",
    "SaslFault",
    "ScramKeys",
    "ScramSha256",
    "ScramVerifiers",
    "Step",
    "begin",
    "decode_initial_response",
    "decode_response",
    "encode_challenge",
    "plain_message",
    "saslprep",
    "scram_keys",
]

import hashlib
import hmac
import re
import stringprep
import unicodedata
from base64 import b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from hongyan.errors import PeerFault

MECHANISMS: Final = ("EXTERNAL", "SCRAM-SHA-256", "PLAIN", "LOGIN")
"""All mechanisms, in the order in which a client should prefer them."""

SCRAM_ITERATIONS: Final = 4096
"""RFC 7677 §4 asks for at least so many. Our secrets for SCRAM are random, so that more would buy nothing."""

MAX_MESSAGE: Final = 4096
"""Octets of one message of the client, decoded. RFC 4616 §2 and RFC 5802 need a few hundred."""

_NONCE = re.compile(rb"[!-+\--~]{1,256}")  # printable = %x21-2B / %x2D-7E: all but the comma (RFC 5802 §7)
_SASLNAME = re.compile(r"(?:[^=,\0]|=2C|=3D)+")


class SaslFault(PeerFault):
    """The client broke the mechanism, or its base64. The exchange is over."""


class Cancelled(SaslFault):
    """The client gave the exchange up with "*" (RFC 4954 §4, RFC 5034 §4, RFC 9051 §6.2.2)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send these octets (in base64) and hand the answer to `respond`."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class NeedVerifiers:
    """Fetch the verifiers of this name and go on with `supply`; for an unknown name, with stable false ones."""

    username: str
    supply: Callable[[ScramVerifiers], Step] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class PasswordOffered:
    """The client says that this is the password of this name."""

    username: str
    authorization_id: str | None
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityOffered:
    """The client wants to act as this identity, or, with None, as the one that what it showed outside of SASL means."""

    authorization_id: str | None


@dataclass(frozen=True, slots=True)
class ProofOffered:
    """The client's proof fits the candidate numbered `matched`, or none."""

    username: str
    authorization_id: str | None
    matched: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange is complete."""


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What the server keeps of one secret (RFC 5802 §3). Who steals it can play the server, not the client."""

    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScramVerifiers:
    """All secrets of an account: one salt, one count, several candidates. None of them is fine: nothing will fit."""

    salt: bytes = field(repr=False)
    iterations: int
    candidates: tuple[ScramKeys, ...]


Step = Challenge | NeedVerifiers | PasswordOffered | IdentityOffered | ProofOffered | Accepted


class Exchange(Protocol):
    """One login attempt by one mechanism."""

    __slots__ = ()

    def start(self, initial_response: bytes | None) -> Step:
        """Begin, with the client's initial response where it sent one."""
        ...

    def respond(self, response: bytes) -> Step:
        """Take the answer to the last challenge."""
        ...

    def accept(self) -> Step:
        """Go on after an offer that was found right."""
        return Accepted()


def begin(mechanism: str, nonce: bytes) -> Exchange | None:
    """Return the machine for a mechanism's name in any case. `nonce`: some 18 random octets, never used before."""
    match mechanism.upper():
        case "EXTERNAL":
            return External()
        case "PLAIN":
            return Plain()
        case "LOGIN":
            return Login()
        case "SCRAM-SHA-256":
            return ScramSha256(nonce)
        case _:
            return None


class External(Exchange):
    """EXTERNAL: one message, the authorization identity, which may be empty (RFC 4422 appendix A.1)."""

    __slots__ = ()

    def start(self, initial_response: bytes | None) -> Step:
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        identity = _text(response)
        if "\0" in identity:  # extern-resp = *( UTF8-char-no-nul )
            raise SaslFault("An authorization identity holds no NUL")
        return IdentityOffered(identity or None)


class Plain(Exchange):
    """PLAIN: one message, [authzid] NUL authcid NUL passwd (RFC 4616 §2)."""

    __slots__ = ()

    def start(self, initial_response: bytes | None) -> Step:
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        fields = _text(response).split("\0")
        if len(fields) != 3 or not fields[1] or not fields[2]:
            raise SaslFault("A PLAIN message is an optional authorization identity, a name and a password")
        authorization_id, username, password = fields
        return PasswordOffered(username, authorization_id or None, _password(password))


class Login(Exchange):
    """LOGIN: the name, then the password. The prompts are those that old clients look for."""

    __slots__ = ("_username",)

    def __init__(self) -> None:
        self._username = ""

    def start(self, initial_response: bytes | None) -> Step:
        return Challenge(b"Username:") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        text = _text(response)
        if not text or "\0" in text:
            raise SaslFault("The name and the password must not be empty")
        if not self._username:
            self._username = text
            return Challenge(b"Password:")
        return PasswordOffered(self._username, None, _password(text))


class ScramSha256(Exchange):
    """SCRAM-SHA-256 without channel binding (RFC 5802 §5, RFC 7677).

    client-first  n,,n=ann,r=CLIENTNONCE
    server-first  r=CLIENTNONCESERVERNONCE,s=SALT,i=4096
    client-final  c=biws,r=CLIENTNONCESERVERNONCE,p=PROOF
    server-final  v=SIGNATURE
    """

    __slots__ = ("_authorization_id", "_client_first_bare", "_gs2_header", "_next", "_nonce", "_signature", "_username")

    def __init__(self, nonce: bytes) -> None:
        self._nonce = b64encode(nonce)
        self._gs2_header = b""
        self._client_first_bare = b""
        self._username = ""
        self._authorization_id: str | None = None
        self._signature = b""
        self._next: Callable[[bytes], Step] = self._client_first

    def start(self, initial_response: bytes | None) -> Step:
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        _text(response)  # All of SCRAM is UTF-8, and short.
        step, self._next = self._next, self._out_of_turn
        return step(response)

    def accept(self) -> Step:
        if not self._signature:
            raise RuntimeError("no proof was found right")
        self._next = self._acknowledged
        return Challenge(b"v=" + b64encode(self._signature))

    def _client_first(self, message: bytes) -> Step:
        # gs2-header = ("p=" cb-name / "n" / "y") "," ["a=" saslname] ","
        # client-first-message-bare = [reserved-mext ","] "n=" saslname "," "r=" c-nonce ["," extensions]
        flag, _, rest = message.partition(b",")
        authzid, comma, bare = rest.partition(b",")
        if flag.startswith(b"p="):
            raise SaslFault("Channel binding is not supported")
        # "y": the client could bind and thinks that we cannot. So it is: no -PLUS is offered.
        if flag not in (b"n", b"y") or not comma:
            raise SaslFault("The first SCRAM message has no GS2 header")
        attributes = bare.split(b",")
        if len(attributes) < 2 or not attributes[0].startswith(b"n=") or not attributes[1].startswith(b"r="):
            raise SaslFault("The first SCRAM message needs a name and a nonce, and no mandatory extension")
        if authzid:
            if not authzid.startswith(b"a="):
                raise SaslFault("The authorization identity is not well formed")
            self._authorization_id = _saslname(authzid[2:])
        self._username = _saslname(attributes[0][2:])
        client_nonce = attributes[1][2:]
        if not _NONCE.fullmatch(client_nonce):
            raise SaslFault("The client's nonce is not well formed")
        self._nonce = client_nonce + self._nonce
        self._gs2_header = message[: len(message) - len(bare)]
        self._client_first_bare = bare
        return NeedVerifiers(self._username, self._server_first)

    def _server_first(self, verifiers: ScramVerifiers) -> Step:
        server_first = b"r=%b,s=%b,i=%d" % (self._nonce, b64encode(verifiers.salt), verifiers.iterations)
        self._next = partial(self._client_final, server_first, verifiers.candidates)
        return Challenge(server_first)

    def _client_final(self, server_first: bytes, candidates: tuple[ScramKeys, ...], message: bytes) -> Step:
        # client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64
        without_proof, comma, proof = message.rpartition(b",p=")
        attributes = without_proof.split(b",")
        if not comma or len(attributes) < 2 or not attributes[0].startswith(b"c="):
            raise SaslFault("The last SCRAM message needs a channel binding, a nonce and a proof")
        if _strict_base64(attributes[0][2:]) != self._gs2_header:
            raise SaslFault("The channel binding is not that of the first message")
        if attributes[1] != b"r=" + self._nonce:
            raise SaslFault("The nonce is not that of this exchange")
        auth_message = b",".join((self._client_first_bare, server_first, without_proof))
        matched = _match_proof(_strict_base64(proof), auth_message, candidates)
        if matched is not None:
            self._signature = _hmac(candidates[matched].server_key, auth_message)
        return ProofOffered(self._username, self._authorization_id, matched)

    def _acknowledged(self, message: bytes) -> Step:
        if message:
            raise SaslFault("Nothing was asked for after the server's signature")
        return Accepted()

    def _out_of_turn(self, message: bytes) -> Step:
        raise RuntimeError(f"{len(message)} octets were handed in where the server had to act")


def scram_keys(password: str, salt: bytes, iterations: int = SCRAM_ITERATIONS) -> ScramKeys:
    """Return what to keep of a password for SCRAM (RFC 5802 §3). It costs milliseconds: call it in a thread."""
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)
    client_key = _hmac(salted, b"Client Key")
    return ScramKeys(hashlib.sha256(client_key).digest(), _hmac(salted, b"Server Key"))


def plain_message(username: str, password: str) -> bytes:
    """Return a client's PLAIN message (RFC 4616 §2)."""
    if not username or not password or "\0" in username or "\0" in password:
        raise ValueError("a name and a password without NUL are needed")
    return b"\0" + username.encode() + b"\0" + password.encode()


def decode_initial_response(octets: bytes) -> bytes:
    """Read an initial response: base64, or "=" for an empty one (RFC 4954 §4)."""
    return b"" if octets == b"=" else _strict_base64(octets)


def decode_response(octets: bytes) -> bytes:
    """Read an answer to a challenge: base64, maybe of nothing, or "*" to give up."""
    if octets == b"*":
        raise Cancelled("The authentication was cancelled")
    return _strict_base64(octets)


def encode_challenge(octets: bytes) -> bytes:
    """Write a challenge or a client's answer in base64."""
    return b2a_base64(octets, newline=False)


def saslprep(text: str) -> str:
    """Prepare a name or a password as RFC 4013 says: what looks the same becomes the same.

    >>> saslprep("I\\u00adX"), saslprep("\\u2168"), saslprep("\\uff11\\u3000\\uff12")
    ('IX', 'IX', '1 2')
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = (" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    prepared = unicodedata.normalize("NFKC", "".join(mapped))
    if any(map(_is_prohibited, prepared)):
        raise SaslFault("The text holds a character that no name or password may hold")
    if any(map(stringprep.in_table_d1, prepared)):  # RFC 3454 §6: right-to-left text begins and ends so
        ends = stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])
        if not ends or any(map(stringprep.in_table_d2, prepared)):
            raise SaslFault("The text mixes directions of writing")
    return prepared


def _is_prohibited(character: str) -> bool:
    # RFC 4013 §2.3; what Unicode 3.2 did not know is let pass, as for a query (RFC 3454 §7).
    return (
        stringprep.in_table_c12(character)
        or stringprep.in_table_c21_c22(character)
        or stringprep.in_table_c3(character)
        or stringprep.in_table_c4(character)
        or stringprep.in_table_c5(character)
        or stringprep.in_table_c6(character)
        or stringprep.in_table_c7(character)
        or stringprep.in_table_c8(character)
        or stringprep.in_table_c9(character)
    )


def _password(text: str) -> str:
    password = saslprep(text)
    if not password:
        raise SaslFault("The password is empty")
    return password


def _text(message: bytes) -> str:
    if len(message) > MAX_MESSAGE:
        raise SaslFault("The message is too long for this mechanism")
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise SaslFault("The message is not UTF-8") from None


def _saslname(octets: bytes) -> str:
    text = _text(octets)
    if not _SASLNAME.fullmatch(text):
        raise SaslFault("The name is not well formed")
    return text.replace("=2C", ",").replace("=3D", "=")


def _strict_base64(octets: bytes) -> bytes:
    try:
        decoded = a2b_base64(octets, strict_mode=True)
    except ValueError:
        raise SaslFault("The response is not valid base64") from None
    if b2a_base64(decoded, newline=False) != octets:  # The bits that padding leaves over must be zero.
        raise SaslFault("The response is not valid base64")
    return decoded


def _match_proof(proof: bytes, auth_message: bytes, candidates: tuple[ScramKeys, ...]) -> int | None:
    """Find whose proof it is. Each candidate costs the same, and all are tried: the time tells nothing."""
    matched = None
    for number, keys in enumerate(candidates):
        signature = _hmac(keys.stored_key, auth_message)
        # ClientKey = ClientProof XOR ClientSignature; a proof of another length fits nobody.
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=False))
        fits = hmac.compare_digest(hashlib.sha256(client_key).digest(), keys.stored_key)
        if fits and len(proof) == len(signature) and matched is None:
            matched = number
    return matched


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
