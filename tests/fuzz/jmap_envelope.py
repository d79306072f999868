"""The Envelope object of EmailSubmission/set, and the envelope that a message's header tells.

Invariant: nothing but `SetError` comes out. Each path and each parameter of an envelope is one that SMTP writes on one
line; whom a header names is an address, or the whole is refused.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import json

from hongyan.addresses import Address
from hongyan.web.jmap.envelope import Envelope, envelope_of_message, read_envelope
from hongyan.wire.jmap.faults import SetError
from hongyan.wire.jmap.ijson import JsonFault, parse_ijson

_GIVEN = {
    "mailFrom": {
        "email": "a@b.test",
        "parameters": {"HOLDFOR": "30", "RET": "HDRS", "ENVID": "x+2By", "SMTPUTF8": None},
    },
    "rcptTo": [
        {"email": "c@d.test", "parameters": {"NOTIFY": "SUCCESS,DELAY", "ORCPT": "rfc822;c@d.test"}},
        {"email": "张三@例子.test", "parameters": None},
        {"email": '"a b"@[192.0.2.1]'},
    ],
}
_MESSAGE = (
    b'From: A <a@b.test>\r\nSender: s@b.test\r\nTo: G: c@d.test, "e f"@g.test;, =?utf-8?q?x?= <h@i.test>\r\n'
    b"Cc: (comment) j@k.test\r\nBcc: l@xn--fiqs8s.test\r\n\r\nHi\r\n"
)

CORPUS = [json.dumps(_GIVEN).encode(), json.dumps(_GIVEN | {"rcptTo": []}).encode(), _MESSAGE]


def target(octets: bytes) -> None:
    """Read both."""
    try:
        _check(envelope_of_message(octets))
    except SetError:
        pass
    try:
        _check(read_envelope(parse_ijson(octets)))
    except (SetError, JsonFault):
        pass


def _check(envelope: Envelope) -> None:
    paths = [envelope.mail.reverse_path, *(one.forward_path for one in envelope.recipients)]
    for path in paths:
        written = "" if path is None else str(path)
        assert written.isprintable(), written
        assert path is None or not isinstance(path, Address) or Address.parse(written) == path, written
    json.dumps(envelope.shown)
