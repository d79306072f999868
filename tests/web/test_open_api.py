"""The running API is held to its OpenAPI document by a program of others: schemathesis tries what fits and what not.

No answer is our fault, each is one that the document names and of the form that it says, what does not fit is refused,
and a method that is not there is told so.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.browser import Browser
from tests.support.server import SECRET, start_server

PATIENCE: Final = 240.0
CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,"
    "allow_header_conformance"
)
ENDS_THE_SESSION: Final = ("session.log_out", "profile.change_password", "devices.end")


def write_document(folder: Path, document: dict[str, Any]) -> Path:
    """Write the document without its security: the cookie is sent always, whatever the program leaves out."""
    for methods in document["paths"].values():
        for operation in methods.values():
            del operation["security"]
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.slow
async def test_the_running_api_is_as_its_document_says(tmp_path: Path) -> None:
    async with start_server(tmp_path, limits=False) as server:
        endpoint = server.app.endpoints["https"]
        web = Browser(endpoint.host, endpoint.port, server.tls)
        assert (await web.log_in("admin@hongyan.test", SECRET)).status == 201
        ((name, token),) = web.cookies.items()
        document = await asyncio.to_thread(write_document, tmp_path, (await web.ask("GET", "/api/openapi.json")).json())
        command = [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", str(document), "-u", web.origin),
            *("-H", f"Cookie: {name}={token}", "-H", "Sec-Fetch-Site: same-origin"),
            *("--phases", "coverage,fuzzing", "-n", "3", "--seed", "7", "--workers", "2", "--checks", CHECKS),
            *("--tls-verify", str(next(tmp_path.rglob("ca.pem")))),
            *("--warnings", "off", "--no-color", "--generation-database", "none"),
            *(word for operation in ENDS_THE_SESSION for word in ("--exclude-operation-id", operation)),
        ]
        program = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path
        )
        async with asyncio.timeout(PATIENCE):
            said, _ = await program.communicate()
        assert program.returncode == 0, said.decode()[-8000:]
        assert (await web.ask("GET", "/api/v1/session")).status == 200, "it was logged in to the end"
