"""What the pages of limits say of a setting is its default: pages cannot rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.limits.smtp_rates import SmtpRateOptions
from hongyan.wire.smtp.offer import Offer

CONFIG = Config()


def limits_page() -> tuple[str, ...]:
    """Return what docs/limits.md has to say, by the options of `[sending]`."""
    sending = CONFIG.sending
    consumer, enterprise = sending.consumer, sending.enterprise
    rows = tuple(
        f"| `{name}` | {getattr(consumer, name)} | {getattr(enterprise, name)} |"
        for name in ("messages_per_day", "first_per_day", "first_per_hour", "recipients_per_message")
    )
    triggers = tuple(
        f"`{name}` = {getattr(sending, name)}"
        for name in (
            *("hold_first_per_hour", "hold_same_body", "hold_same_body_messages", "hold_volume", "hold_volume_factor"),
            *("hold_volume_days", "hold_bounces", "hold_bounces_of", "hold_countries", "hold_networks"),
        )
    )
    return (
        *rows,
        *triggers,
        f"more than {sending.hold_first_per_hour} new recipients are asked for within an hour",
        f"more than {sending.hold_same_body} new recipients within a day",
        f"in {sending.hold_same_body_messages} messages or more",
        f"more than {sending.hold_volume} recipients within a day, and more than {sending.hold_volume_factor} times",
        f"has sent for {sending.hold_volume_days} days",
        f"of the last {sending.hold_bounces_of} to 50 deliveries elsewhere {sending.hold_bounces} % or more",
        f"more than {sending.hold_countries} new countries within a day",
        f"more than {sending.hold_networks} new networks",
        f"For {sending.grace} hours (`grace`)",
    )


def abuse_page() -> tuple[str, ...]:
    """Return what docs/abuse-limits.md has to say. The table of rules is held by test_smtp_rates."""
    admission, gate, greylist, dnsbl = CONFIG.admission.smtp, CONFIG.gate, CONFIG.greylist, CONFIG.dnsbl
    smtp, limits, offer = CONFIG.smtp, CONFIG.limits, Offer(hostname="x")
    pace = smtp.pace
    assert SmtpRateOptions().ban == 3600, "an hour"
    assert dnsbl.keep == 1800, "half an hour"
    assert dnsbl.check_every == 6 * 3600, "each six hours"
    return (
        f"there are {admission.new_per_minute} new connections a minute",
        f"and {admission.connections_per_network} at once for one address",
        f"{smtp.max_messages:,} messages and {smtp.max_refused} refused recipients for one connection",
        f"| {gate.greeting_delay:g} s | `gate.greeting_delay` |",
        f"| {gate.known_for:g} h | `gate.known_for` |",
        f"| {gate.free_faults} | `gate.free_faults` |",
        f"| {gate.tarpit_delay:g} s | `gate.tarpit_delay` |",
        f"| {gate.tarpitted} | `gate.tarpitted` |",
        f"faults of a connection before it is closed | {offer.max_faults} |",
        f"of a connection before it is closed | {offer.max_idle_commands} |",
        f"A history is kept for {CONFIG.reputation.keep:g} days",
        f"weigh {dnsbl.junk:g} together send mail to Junk (`dnsbl.junk`), {dnsbl.refuse:g} refuse it",
        f"Lists have {dnsbl.seconds:g} seconds",
        f"| {greylist.wait / 60:g} minutes | `greylist.wait` |",
        f"| {greylist.window:g} hours | `greylist.window` |",
        f"| {greylist.keep:g} days | `greylist.keep` |",
        f"| {smtp.timeout:g} s | `smtp.timeout` |",
        f"| {pace.idle_session:,.0f} s | `smtp.pace.idle_session` |",
        f"| {pace.message_rate} octets/s | `smtp.pace.message_rate` |",
        f"| {pace.message_time:,.0f} s | `smtp.pace.message_time` |",
        f"| {CONFIG.tls.handshake_timeout:g} s | `tls.handshake_timeout` |",
        f"| {CONFIG.connections.write_timeout:g} s | `connections.write_timeout` |",
        f"| failed logins from one address | {limits.failures_per_network} an hour |",
        f"| failed logins with one name from one address | {limits.failures_per_name} in 15 minutes |",
        f"| {limits.failures_by_strangers} an hour | logins from such addresses wait {limits.stranger_delay:g} s |",
    )


@pytest.mark.parametrize("page", ["limits", "abuse-limits"])
def test_what_a_page_says_of_a_setting_is_its_default(page: str) -> None:
    text = " ".join(Path(f"docs/{page}.md").read_text().split())
    wanted = limits_page() if page == "limits" else abuse_page()
    assert [sentence for sentence in wanted if sentence not in text] == []
