"""Bans as lines for nftables and fail2ban."""

from __future__ import annotations

from hongyan.limits.firewall import Banned, fail2ban_lines, nftables_lines

_BANS = [Banned("192.0.2.1", 3540), Banned("2001:db8:1:2::/64", 0), Banned("198.51.100.0/24", 60, smtp_alone=True)]


def test_nftables_gets_sets_whose_elements_end_by_themselves() -> None:
    lines = [line for line in nftables_lines(_BANS) if not line.startswith("#")]
    assert lines == [
        "add table inet hongyan",
        "add set inet hongyan banned4 { type ipv4_addr; flags interval, timeout; }",
        "add set inet hongyan banned6 { type ipv6_addr; flags interval, timeout; }",
        "add set inet hongyan smtp_banned4 { type ipv4_addr; flags interval, timeout; }",
        "add set inet hongyan smtp_banned6 { type ipv6_addr; flags interval, timeout; }",
        "add element inet hongyan banned4 { 192.0.2.1 timeout 3540s }",
        "add element inet hongyan banned6 { 2001:db8:1:2::/64 timeout 1s }",
        "add element inet hongyan smtp_banned4 { 198.51.100.0/24 timeout 60s }",
    ]


def test_who_offended_on_port_25_may_still_read_mail() -> None:
    rules = [line for line in nftables_lines([]) if line.startswith("#  ")]
    assert [line.partition("@")[2] for line in rules] == [
        "banned4 tcp dport { 25, 110, 143, 465, 587, 993, 995 } drop",
        "banned6 tcp dport { 25, 110, 143, 465, 587, 993, 995 } drop",
        "smtp_banned4 tcp dport { 25 } drop",
        "smtp_banned6 tcp dport { 25 } drop",
    ]


def test_fail2ban_gets_a_command_for_each_network() -> None:
    assert list(fail2ban_lines(_BANS)) == [
        "fail2ban-client set hongyan banip 192.0.2.1",
        "fail2ban-client set hongyan banip 2001:db8:1:2::/64",
        "fail2ban-client set hongyan banip 198.51.100.0/24",
    ]
