"""Requests of Autodiscover: whatever comes, an address with an "@" is read, or the one fault is raised; what is
answered is well-formed XML that holds the address, and nothing of the request besides.
"""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET

from hongyan.domains.client_documents import AutodiscoverFault, autodiscover_xml, read_autodiscover
from hongyan.domains.client_settings import ClientSettings, listening_of

_SCHEMA = b"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_SETTINGS = ClientSettings("a.test", "mail.a.test", tuple(listening_of({"imaps": 993, "submission": 587})))

CORPUS = (
    b'<?xml version="1.0"?><Autodiscover xmlns="x"><Request><EMailAddress>a&amp;b@a.test</EMailAddress>'
    b"<AcceptableResponseSchema>" + _SCHEMA + b"</AcceptableResponseSchema></Request></Autodiscover>",
    b'<!DOCTYPE x [<!ENTITY y "z">]><Autodiscover><Request><EMailAddress>&y;@a</EMailAddress></Request></Autodiscover>',
    b'<?xml version="1.0" encoding="UTF-16"?><a/>',
    b"<Autodiscover><Request><EMailAddress>a@b<![CDATA[<]]></EMailAddress></Request></Autodiscover>",
)


def target(octets: bytes) -> None:
    with contextlib.suppress(AutodiscoverFault):
        address = read_autodiscover(octets)
        assert "@" in address
        assert len(address) <= 320
        tree = ET.fromstring(autodiscover_xml(_SETTINGS, address))
        names = [each.text for each in tree.iter() if each.tag.endswith("LoginName")]
        assert len(names) == 2
