"""Whom a demonstration asks: the name server that was named, and else nobody, so that nothing waits for time-outs."""

from __future__ import annotations

from pathlib import Path

from hongyan.demonstration import Demonstration, configure


def test_without_a_name_server_the_dns_is_not_asked(tmp_path: Path) -> None:
    config, _ = configure(Demonstration(data=tmp_path, ports={}))
    assert not config.dns.enabled
    config, _ = configure(Demonstration(data=tmp_path, ports={}, relay="127.0.0.1:25"))
    assert not config.dns.enabled


def test_a_name_server_is_asked_and_so_is_the_machines_for_the_name_of_a_relay(tmp_path: Path) -> None:
    config, _ = configure(Demonstration(data=tmp_path, ports={}, resolver="127.0.0.1:53"))
    assert config.dns.enabled
    assert config.dns.servers == ("127.0.0.1:53",)
    config, _ = configure(Demonstration(data=tmp_path, ports={}, relay="mx.example.org:25"))
    assert config.dns.enabled
