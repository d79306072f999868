"""Documents in which mail programs find their settings: Thunderbird's XML, Outlook's XML and JSON, PACC's JSON.

- Thunderbird and its kin: draft-ietf-mailmaint-autoconfig (`config-v1.1.xml`).
- Outlook: [MS-OXDSCLI], "POX" with the schema for Internet mail, and the JSON that leads to it.
- PACC: draft-ietf-mailmaint-pacc. Its octets stay the same while the settings do:
  a digest of them stands in the DNS.
"""

from __future__ import annotations

__all__ = [
    "AutodiscoverFault",
    "autoconfig_xml",
    "autodiscover_error",
    "autodiscover_json",
    "autodiscover_xml",
    "pacc_octets",
    "pacc_record",
    "read_autodiscover",
]

import base64
import hashlib
import json
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from hongyan.domains.client_settings import ClientSettings, Listening, Security
from hongyan.store.accounts import Service

MAX_REQUEST: Final = 16 * 1024
"""Octets of a request of Autodiscover."""

_MAX_DEPTH = 12
_MAX_ADDRESS = 320
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_TYPES = {Service.IMAP: "imap", Service.POP3: "pop3", Service.SMTP: "smtp"}
_SOCKETS = {Security.TLS: "SSL", Security.STARTTLS: "STARTTLS"}


class AutodiscoverFault(Exception):
    """The request of Autodiscover cannot be read, or asks for what is not offered."""


def autoconfig_xml(settings: ClientSettings) -> bytes:
    """Return the settings for Thunderbird and its kin. The address is left to the program: %EMAILADDRESS%."""
    domain = escape(settings.domain)
    lines = [
        '<clientConfig version="1.1">',
        f"  <emailProvider id={quoteattr(settings.domain)}>",
        f"    <domain>{domain}</domain>",
        f"    <displayName>{domain}</displayName>",
        f"    <displayShortName>{domain}</displayShortName>",
        *(line for way in settings.ways for line in _autoconfig_server(settings, way)),
        "  </emailProvider>",
        "</clientConfig>",
    ]
    return (_HEAD + "\n".join(lines) + "\n").encode()


def _autoconfig_server(settings: ClientSettings, way: Listening) -> list[str]:
    element = "outgoingServer" if way.service is Service.SMTP else "incomingServer"
    return [
        f'    <{element} type="{_TYPES[way.service]}">',
        f"      <hostname>{escape(settings.hostname)}</hostname>",
        f"      <port>{way.port}</port>",
        f"      <socketType>{_SOCKETS[way.security]}</socketType>",
        "      <authentication>password-cleartext</authentication>",
        "      <username>%EMAILADDRESS%</username>",
        f"    </{element}>",
    ]


def read_autodiscover(octets: bytes) -> str:
    """Return the address that a request of Autodiscover is about. Raises `AutodiscoverFault`.

    No document type, and so no entities; a depth and a size.
    """
    if len(octets) > MAX_REQUEST:
        raise AutodiscoverFault
    reader = _AutodiscoverReader()
    try:
        reader.parser.Parse(octets, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise AutodiscoverFault from None
    address, schema = reader.found.get("EMailAddress", "").strip(), reader.found.get("AcceptableResponseSchema", "")
    # What asks for Exchange's own protocols (ActiveSync) is told that they are not here.
    if "@" not in address or len(address) > _MAX_ADDRESS or (schema and schema.strip().lower() != _OUTLOOK):
        raise AutodiscoverFault
    return address


class _AutodiscoverReader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
        raise AutodiscoverFault

    def _start(self, name: str, _: object) -> None:
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) > _MAX_DEPTH:
            raise AutodiscoverFault

    def _end(self, _: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._path[:2] == ["Autodiscover", "Request"] and len(self._path) == 3:
            self.found[self._path[2]] = self.found.get(self._path[2], "") + text


def autodiscover_xml(settings: ClientSettings, address: str) -> bytes:
    """Return the settings for Outlook, which wants its address back."""
    lines = [
        f'<Autodiscover xmlns="{_RESPONSE}">',
        f'  <Response xmlns="{_OUTLOOK}">',
        "    <User>",
        f"      <DisplayName>{escape(address)}</DisplayName>",
        "    </User>",
        "    <Account>",
        "      <AccountType>email</AccountType>",
        "      <Action>settings</Action>",
        *(
            line
            for service in (Service.IMAP, Service.POP3, Service.SMTP)
            if (way := settings.best(service)) is not None
            for line in _autodiscover_protocol(settings, way, address)
        ),
        "    </Account>",
        "  </Response>",
        "</Autodiscover>",
    ]
    return (_HEAD + "\n".join(lines) + "\n").encode()


def _autodiscover_protocol(settings: ClientSettings, way: Listening, address: str) -> list[str]:
    fields = {
        "Type": _TYPES[way.service].upper(),
        "Server": settings.hostname,
        "Port": str(way.port),
        "LoginName": address,
        "DomainRequired": "off",
        "SPA": "off",
        # "on" means TLS from the first octet; Encryption, which goes before it, knows STARTTLS as TLS.
        "SSL": "on",
        "Encryption": "SSL" if way.security is Security.TLS else "TLS",
        "AuthRequired": "on",
    }
    if way.service is Service.SMTP:
        fields |= {"UsePOPAuth": "off", "SMTPLast": "off"}
    inner = [f"        <{name}>{escape(value)}</{name}>" for name, value in fields.items()]
    return ["      <Protocol>", *inner, "      </Protocol>"]


def autodiscover_error() -> bytes:
    """Return what Outlook is told of a request that is not understood, or a domain that is not ours."""
    lines = [
        f'<Autodiscover xmlns="{_RESPONSE}">',
        "  <Response>",
        '    <Error Time="00:00:00.0000000" Id="1">',
        "      <ErrorCode>600</ErrorCode>",
        "      <Message>Invalid Request</Message>",
        "      <DebugData />",
        "    </Error>",
        "  </Response>",
        "</Autodiscover>",
    ]
    return (_HEAD + "\n".join(lines) + "\n").encode()


def autodiscover_json(protocol: str, url: str) -> tuple[int, bytes]:
    """Return status and body of Autodiscover v2: where the XML is, the one protocol that there is."""
    if protocol.lower() == "autodiscoverv1":
        return 200, _json({"Protocol": "AutodiscoverV1", "Url": url})
    said = "The given protocol value is invalid. Supported values are 'AutodiscoverV1'."
    return 400, _json({"ErrorCode": "InvalidProtocol", "ErrorMessage": said})


def pacc_octets(settings: ClientSettings) -> bytes:
    """Return the settings as PACC has them: hosts alone, for TLS on the ports that the world expects."""
    names = {Service.IMAP: "imap", Service.POP3: "pop3", Service.SMTP: "smtp"}
    protocols: dict[str, object] = {"jmap": {"url": settings.jmap}} if settings.jmap else {}
    protocols |= {names[way.service]: {"host": settings.hostname} for way in settings.ways}
    return _json(
        {
            "protocols": protocols,
            "authentication": {"password": True},
            "info": {"provider": {"name": settings.domain[:60]}},
        }
    )


def pacc_record(octets: bytes) -> str:
    """Return the record that vouches for a document of PACC: the SHA-256 of its octets."""
    return f"v=UAAC1; a=sha256; d={base64.b64encode(hashlib.sha256(octets).digest()).decode()}"


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
