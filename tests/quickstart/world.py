"""What a machine in a namespace meets: a DNS and a mail server. Run as programs, each in its namespace.

`python -m tests.quickstart.world dns HOST RECORDS.json` answers what the file says, and vouches for it;
`python -m tests.quickstart.world listen HOST PORT` greets as a mail server does. Each prints a line when it is ready.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


def serve_dns(host: str, records: Mapping[str, Sequence[str]]) -> None:
    """Answer questions for ever. `records` are values by "TYPE name"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((host, 53))
        print("ready", flush=True)
        while True:
            octets, peer = listening.recvfrom(4096)
            listening.sendto(answer(dns.message.from_wire(octets), records).to_wire(), peer)


def answer(query: dns.message.Message, records: Mapping[str, Sequence[str]]) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA | dns.flags.AD
    (question,) = query.question
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    values = records.get(f"{kind} {name}")
    if values:
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
    elif not any(known.endswith(f" {name}") for known in records):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


def listen(host: str, port: int) -> None:
    """Greet everybody for ever."""
    with socket.create_server((host, port)) as listening:
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"220 big.test ESMTP\r\n")


if __name__ == "__main__":
    if sys.argv[1] == "dns":
        serve_dns(sys.argv[2], json.loads(Path(sys.argv[3]).read_text()))
    else:
        listen(sys.argv[2], int(sys.argv[3]))
