"""Providers as their vendors describe them: signatures by the published examples, requests against a stand-in.

None of this was ever tried on the real services.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hongyan.clients.dns_providers.aliyun import Aliyun, sign_parameters, string_to_sign
from hongyan.clients.dns_providers.cloudflare import Cloudflare
from hongyan.clients.dns_providers.dnspod import Dnspod, canonical_request
from hongyan.clients.dns_providers.provider import DnsProviderOptions
from hongyan.clients.dns_update import UpdateRefused
from hongyan.errors import Unavailable
from tests.support.clock import FakeClock, FakeRandom

Answer = Callable[[str, str, dict[str, str], Any], Any]


@contextmanager
def stand_in(answer: Answer) -> Iterator[str]:
    """Serve a provider on loopback: `answer(method, path, headers, body)` is what it says."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = answer(self.command, self.path, dict(self.headers), json.loads(body) if body else None)
            octets = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def options(tmp_path: Path, endpoint: str, secret: str, **more: Any) -> DnsProviderOptions:
    path = tmp_path / "secret"
    path.write_text(secret)
    return DnsProviderOptions(zones=("geese.test",), secret_file=str(path), endpoint=endpoint, **more)


def test_aliyun_signs_as_the_published_example_does() -> None:
    """The vendor's example of DescribeDomainRecords, with the secret "testsecret"."""
    parameters = {
        "Format": "XML",
        "AccessKeyId": "testid",
        "Action": "DescribeDomainRecords",
        "SignatureMethod": "HMAC-SHA1",
        "DomainName": "example.com",
        "SignatureNonce": "f59ed6a9-83fc-473b-9cc6-99c95df3856e",
        "SignatureVersion": "1.0",
        "Version": "2015-01-09",
        "Timestamp": "2016-03-24T16:41:54Z",
    }
    assert "Timestamp%3D2016-03-24T16%253A41%253A54Z" in string_to_sign(parameters)
    assert sign_parameters(parameters, "testsecret")["Signature"] == "uRpHwaSEt3J+6KQD//svCh/x+pI="


def test_dnspod_signs_the_request_of_the_published_example() -> None:
    """The vendor's example shows the digest of the canonical request; its key is masked, so the signature is not."""
    payload = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    request = canonical_request("cvm.tencentcloudapi.com", "DescribeInstances", payload)
    assert (
        hashlib.sha256(request.encode()).hexdigest()
        == "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84"
    )


async def test_cloudflare_adds_and_removes_exactly_the_record_that_is_meant(tmp_path: Path) -> None:
    asked: list[tuple[str, str, Any]] = []

    def answer(method: str, path: str, headers: dict[str, str], body: Any) -> Any:
        assert headers["Authorization"] == "Bearer token"
        asked.append((method, path, body))
        if path.startswith("/zones?"):
            return {"success": True, "result": [{"id": "z1"}]}
        if method == "GET":
            found = [
                {"id": "r1", "type": "TXT", "content": '"v=spf1 -all"'},
                {"id": "r2", "type": "TXT", "content": "MS=ms1"},
            ]
            return {"success": True, "result": found}
        return {"success": True, "result": {}}

    with stand_in(answer) as url:
        provider = Cloudflare(options(tmp_path, url, "token\n"))
        await provider.add("geese.test", "geese.test", "TXT", "v=spf1 mx -all")
        await provider.add("geese.test", "geese.test", "MX", "10 mail.geese.test.")
        await provider.remove("geese.test", "geese.test", "TXT", "v=spf1 -all")
    bodies = [body for method, _, body in asked if method == "POST"]
    assert bodies[0]["content"] == '"v=spf1 mx -all"'
    assert (bodies[1]["content"], bodies[1]["priority"]) == ("mail.geese.test", 10)
    assert [path for method, path, _ in asked if method == "DELETE"] == ["/zones/z1/dns_records/r1"]


async def test_aliyun_adds_and_removes(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    def answer(_method: str, path: str, _headers: dict[str, str], _body: Any) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        signature = query.pop("Signature")
        assert sign_parameters(query, "key")["Signature"] == signature
        asked.append(query)
        if query["Action"] == "DescribeSubDomainRecords":
            return {"DomainRecords": {"Record": [{"RecordId": "7", "Value": "a"}, {"RecordId": "8", "Value": "b"}]}}
        return {"RequestId": "x"}

    with stand_in(answer) as url:
        provider = Aliyun(options(tmp_path, url, "id key"), FakeClock(), FakeRandom())
        await provider.add("geese.test", "mail.geese.test", "A", "192.0.2.1")
        await provider.remove("geese.test", "geese.test", "TXT", "b")
    assert (asked[0]["Action"], asked[0]["RR"], asked[0]["Value"]) == ("AddDomainRecord", "mail", "192.0.2.1")
    assert (asked[-1]["Action"], asked[-1]["RecordId"]) == ("DeleteDomainRecord", "8")


async def test_dnspod_adds_and_removes_and_finds_nothing_without_complaint(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []

    def answer(_method: str, _path: str, headers: dict[str, str], body: Any) -> Any:
        named = {name.lower(): value for name, value in headers.items()}
        assert named["authorization"].startswith("TC3-HMAC-SHA256 Credential=id/2026-01-01/dnspod/tc3_request")
        asked.append((named["x-tc-action"], body))
        if named["x-tc-action"] == "DescribeRecordList":
            if body["RecordType"] == "TXT":
                return {"Response": {"Error": {"Code": "ResourceNotFound.NoDataOfRecord"}}}
            return {"Response": {"RecordList": [{"RecordId": 5, "Value": "mail.geese.test.", "MX": 10}]}}
        return {"Response": {}}

    with stand_in(answer) as url:
        provider = Dnspod(options(tmp_path, url, "id key"), FakeClock())
        await provider.add("geese.test", "geese.test", "MX", "10 mail.geese.test.")
        await provider.remove("geese.test", "geese.test", "MX", "10 mail.geese.test.")
        await provider.remove("geese.test", "geese.test", "TXT", "x")
    assert [action for action, _ in asked] == [
        "CreateRecord",
        "DescribeRecordList",
        "DeleteRecord",
        "DescribeRecordList",
    ]
    assert (asked[0][1]["SubDomain"], asked[0][1]["MX"]) == ("@", 10)


async def test_a_refusal_and_nonsense_are_told(tmp_path: Path) -> None:
    refusal = {"success": False, "errors": [{"message": "Invalid token"}]}
    with stand_in(lambda *_: refusal) as url, pytest.raises(UpdateRefused, match="Invalid token"):
        await Cloudflare(options(tmp_path, url, "token")).add("geese.test", "a.geese.test", "A", "192.0.2.1")
    with stand_in(lambda *_: b"<html>") as url, pytest.raises(Unavailable):
        await Cloudflare(options(tmp_path, url, "token")).add("geese.test", "a.geese.test", "A", "192.0.2.1")
    with pytest.raises(ValueError, match="https"):
        options(tmp_path, "http://evil.test", "token")
