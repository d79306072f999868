"""The programs that others wrote can be had here and start: what the interop suites stand on."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import subprocess

import pytest

from tests.support import debian
from tests.support.dovecot import start_dovecot
from tests.support.postfix import start_postfix

pytestmark = pytest.mark.interop

PROGRAMS = {
    "swaks": (("swaks", "libnet-ssleay-perl"), ("--version",), "swaks version"),
    "curl": (("curl",), ("--version",), "imaps"),
    "mutt": (("mutt", "libsasl2-modules"), ("-v",), "Mutt 2"),
    "neomutt": (("neomutt",), ("-v",), "NeoMutt"),
    "mbsync": (("isync", "libsasl2-modules"), ("--version",), "isync"),
    "getmail": (("getmail6",), ("--version",), "getmail 6"),
    "fetchmail": (("fetchmail",), ("--version",), "fetchmail release 6"),
    "mpop": (("mpop",), ("--version",), "mpop version"),
    "msmtp": (("msmtp",), ("--version",), "msmtp version"),
    "postconf": (("postfix", "libsasl2-modules"), ("-d", "mail_version"), "mail_version = 3"),
    "dovecot": (("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d"), ("--version",), "2.3"),
    "psql": (("postgresql-15",), ("--version",), "psql (PostgreSQL)"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_starts_from_its_unpacked_package(program: str) -> None:
    packages, options, answer = PROGRAMS[program]
    root = debian.require(*packages)
    command = [debian.find_program(root, program), *options]
    done = subprocess.run(command, env=debian.run_environment(root), capture_output=True, text=True, check=True)
    assert answer in done.stdout


def test_swaks_speaks_tls() -> None:
    root = debian.require(*PROGRAMS["swaks"][0])
    command = [debian.find_program(root, "swaks"), "--support"]
    told = subprocess.run(command, env=debian.run_environment(root), capture_output=True, text=True, check=True)
    assert "=== TLS supported" in told.stdout


def test_exim_starts_in_the_place_and_with_the_user_that_it_expects() -> None:
    root = debian.require("exim4-daemon-light")
    command = debian.in_place(root, "exim4", "-C", "/dev/null", "-bV", users=("Debian-exim",))
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Exim version 4" in told.stdout


def test_a_postfix_hands_mail_to_another_which_keeps_it() -> None:
    with (
        start_postfix() as next_hop,
        start_postfix(domains=["other.test"], relay_host=f"[127.0.0.1]:{next_hop.port}") as sender,
    ):
        with smtplib.SMTP("127.0.0.1", sender.port) as client:
            client.sendmail("a@sender.test", ["b@postfix.test"], b"Subject: one\r\n\r\nhello\r\n")
        (message,) = next_hop.wait_for_messages(1)
    assert message.endswith(b"\n\nhello\n")


def test_dovecot_takes_mail_by_lmtp_and_shows_it_by_imap_and_pop3() -> None:
    with start_dovecot({"a@dovecot.test": "secret"}) as dovecot:
        with smtplib.LMTP("127.0.0.1", dovecot.lmtp) as lmtp:
            lmtp.sendmail("b@sender.test", ["a@dovecot.test"], b"Subject: one\r\n\r\nhello\r\n")
        with imaplib.IMAP4("127.0.0.1", dovecot.imap) as imap:
            imap.login("a@dovecot.test", "secret")
            assert imap.select() == ("OK", [b"1"])
        pop3 = poplib.POP3("127.0.0.1", dovecot.pop3)
        pop3.user("a@dovecot.test")
        pop3.pass_("secret")
        assert pop3.stat()[0] == 1
        pop3.quit()
