"""What is read from answers about settings: our own as they are, hostile ones as nothing."""

from __future__ import annotations

import pytest

from hongyan.domains.client_answers import read_pacc, read_servers
from hongyan.domains.client_documents import autoconfig_xml, autodiscover_xml, pacc_octets
from hongyan.domains.client_settings import ClientSettings, listening_of

SETTINGS = ClientSettings("a.test", "mail.a.test", tuple(listening_of({"imaps": 993, "submission": 587})))


def test_what_we_tell_is_what_is_read() -> None:
    assert read_servers(autoconfig_xml(SETTINGS)) == ["imap mail.a.test 993 SSL", "smtp mail.a.test 587 STARTTLS"]
    assert read_servers(autodiscover_xml(SETTINGS, "x@a.test")) == [
        "imap mail.a.test 993 SSL",
        "smtp mail.a.test 587 TLS",
    ]
    assert read_pacc(pacc_octets(SETTINGS)) == ["imap mail.a.test", "smtp mail.a.test"]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<a",
        b"<html/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a>" * 20 + b"</a>" * 20,
        b"[" * 9999,
        b"{}",
    ],
)
def test_hostile_answers_are_nothing(octets: bytes) -> None:
    assert list(read_servers(octets)) == []
    assert list(read_pacc(octets)) == []
