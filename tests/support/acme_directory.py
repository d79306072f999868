"""A small ACME directory with renewal information (RFC 8555, 9773), which a test can make misbehave.

It believes every proof, and looks at no signature: how messages are signed is tested with pebble.
"""

from __future__ import annotations

__all__ = ["AcmeDirectory", "start_directory"]

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hongyan.clock import Clock, SystemClock
from hongyan.domains.local_authority import make_local_certificate

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class AcmeDirectory:
    """What it says and has heard. `replies` are given instead of its own, by the first part of the path."""

    clock: Clock
    url: str = ""
    authority_file: str = ""
    window: tuple[datetime, datetime] | None = None
    life: timedelta = timedelta(days=90)
    replies: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    signs_for: ec.EllipticCurvePublicKey | None = None
    """The key that certificates are for, whatever was asked for."""

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._chains: dict[int, bytes] = {}

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        part, _, rest = path.strip("/").partition("/")
        self.heard.append(part)
        if part in self.replies:
            return self.replies[part]()
        payload = _payload(body) if method == "POST" else {}
        match part:
            case "dir":
                return self._json(200, self._directory())
            case "account":
                return self._json(201, {"status": "valid"}, Location=f"{self.url}/me")
            case "order":
                self.orders.append(payload)
                return self._order(len(self.orders) - 1, 201)
            case "authorization":
                return self._json(200, self._authorization(int(rest)))
            case "finalize":
                self._chains[int(rest)] = self._issue(payload["csr"])
                return self._order(int(rest))
            case "get":
                return self._order(int(rest))
            case "chain":
                return 200, {"Content-Type": "application/pem-certificate-chain"}, self._chains[int(rest)]
            case "renewal":
                return self._renewal()
        return self._json(200, {})

    def _directory(self) -> dict[str, str]:
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
        if self.window is not None:
            names["renewalInfo"] = "renewal"
        return {name: f"{self.url}/{part}" for name, part in names.items()}

    def _order(self, number: int, status: int = 200) -> Answer:
        order = self.orders[number]
        done = number in self._chains
        document = {
            "status": "valid" if done else "ready",
            "identifiers": order["identifiers"],
            "authorizations": [f"{self.url}/authorization/{number}"],
            "finalize": f"{self.url}/finalize/{number}",
        }
        if done:
            document["certificate"] = f"{self.url}/chain/{number}"
        return self._json(status, document, Location=f"{self.url}/get/{number}")

    def _authorization(self, number: int) -> dict[str, Any]:
        return {"status": "valid", "identifier": self.orders[number]["identifiers"][0], "challenges": []}

    def _renewal(self) -> Answer:
        assert self.window is not None
        start, end = (moment.isoformat() for moment in self.window)
        return self._json(200, {"suggestedWindow": {"start": start, "end": end}}, **{"Retry-After": "7200"})

    def _issue(self, text: str) -> bytes:
        request = x509.load_der_x509_csr(base64.urlsafe_b64decode(text + "=="))
        now, name = self.clock.now(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's authority")])
        alternatives = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        public = self.signs_for or request.public_key()
        builder = x509.CertificateBuilder(name, name, public, x509.random_serial_number(), now, now + self.life)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = builder.add_extension(alternatives, critical=False).add_extension(issuer, critical=False)
        return certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _json(self, status: int, document: object, **headers: str) -> Answer:
        return status, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()


@contextmanager
def start_directory(folder: Path, clock: Clock) -> Iterator[AcmeDirectory]:
    """Serve a directory on loopback."""
    certificate = make_local_certificate(folder, "acme.test", SystemClock())
    directory = AcmeDirectory(clock, authority_file=str(certificate.authority))

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, octets = directory.answer(self.command, self.path, body)
            self.send_response(status)
            for name, value in {"Replay-Nonce": "bm9uY2U", "Content-Length": str(len(octets)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(b"" if self.command == "HEAD" else octets)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_HEAD = _serve

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.files.chain, certificate.files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    directory.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield directory
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _payload(body: bytes) -> dict[str, Any]:
    text = json.loads(body)["payload"]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=="))) if text else {}
