"""A DNS for the benchmark, beside the servers and under no meter: `python -m bench.dns PORT FILE`.

The file holds TXT records by name, in JSON; every other name does not exist. Both servers ask it, and both remember
what it says for an hour, as records of real domains are remembered.
"""

from __future__ import annotations

__all__ = ["DnsServer"]

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from bench.meters import ProcessTree
from bench.programs import Program

_TTL = 3600
_PIECE = 250  # octets of a string in a TXT record, which holds 255 at most
_START_SECONDS = 30.0


class DnsServer:
    """The program, as the benchmark starts it."""

    def __init__(self, folder: Path, port: int, records: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "records.json"
        file.write_text(json.dumps(records))
        self.port = port
        self._program = Program("dns", [sys.executable, "-m", "bench.dns", str(port), str(file)], folder, ProcessTree())
        self._program.wait_until(lambda: "ready" in self._program.output.read_text(), _START_SECONDS)

    def stop(self) -> None:
        self._program.stop()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, records: dict[str, str]) -> None:
        self._records = records

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        text = self._records.get(name)
        if text is None:
            # A name above one that is there exists, and has nothing (RFC 8020).
            if not any(known.endswith(f".{name}") for known in self._records):
                response.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT:
            pieces = " ".join(f'"{text[at : at + _PIECE]}"' for at in range(0, len(text), _PIECE))
            response.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", "TXT", pieces))
        self._transport.sendto(response.to_wire(), addr)


async def _serve(port: int, records: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Answers(records), local_addr=("127.0.0.1", port))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
