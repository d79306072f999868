"""The program `hongyan`: its groups of commands, each imported when it is needed, and what becomes of errors."""

from __future__ import annotations

__all__ = ["make_app", "run"]

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, UnknownCommandError

import hongyan
from hongyan.cli.commands import DONE, FAILED, USAGE
from hongyan.cli.fault import UsageFault
from hongyan.cli.help import format_help
from hongyan.cli.screen import fail
from hongyan.cli.words import say
from hongyan.errors import HongyanError, PeerFault

_PACKAGE = "hongyan.cli"
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it

_COMMANDS = (
    (
        "quickstart",
        "quickstart:quickstart",
        "Look whether this machine is fit for mail, write all that a service needs, and print its DNS records.",
    ),
    ("serve", "serve:serve", "Run the service."),
    ("demo", "demo:demo", "Run a throw-away service on loopback, for programs and tests."),
    ("config", "config:app", "The configuration file."),
    ("domain", "domains:app", "Domains that are served, and their DNS records."),
    ("server", "server:app", "The server as others meet it."),
    ("account", "accounts:app", "Accounts: who has mail here."),
    ("app-password", "app_passwords:app", "App passwords: secrets for single mail programs."),
    (
        "client-certificate",
        "client_certificates:app",
        "Client certificates: by which mail programs log in without a secret that is typed.",
    ),
    ("alias", "aliases:app", "Aliases: addresses that stand for others."),
    ("mailbox", "mailboxes:app", "Mailboxes that accounts share with each other."),
    ("queue", "queue:app", "Mail on its way out."),
    ("certificate", "certificates:app", "Certificates: which are shown, when they end, and how to renew them."),
    ("mail", "mail:app", "What became of messages."),
    ("autoconfig", "autoconfig:app", "What mail programs find out about an address by themselves."),
    ("listener", "listeners:app", "Listeners: which end when, and who still uses them."),
    ("ban", "bans:app", "Bans: who is refused for a time, and why."),
    ("suppression", "suppressions:app", "Addresses that are not written to, because they bounced."),
    ("report", "reports:app", "Reports on DMARC and TLS: those of others on our domains, and ours to them."),
    ("spam", "spam:app", "The spam filter: what it has learnt, and why."),
    ("search", "search:app", "The index of words that answers searches for text."),
    ("virus", "virus:app", "The scanner for viruses."),
    ("verify", "store:verify", "Look whether everything that is kept is whole."),
    ("backup", "store:backup", "Make a backup, while the service goes on."),
    ("restore", "store:restore", "Make a data directory from a backup."),
    ("move", "moving:move", "Move everything that is kept to another database, while no server runs."),
    ("import", "migration:import_mail", "Bring mail into an account, from mbox or Maildir."),
    ("export", "migration:export_mail", "Write the mail of an account to mbox or Maildir."),
)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    as_json = "--json" in arguments
    try:
        done = make_app()(list(arguments))
    except UnknownCommandError as error:
        return fail("usage", _name_near(error), USAGE, as_json=as_json)
    except CycloptsError as error:
        return fail("usage", str(error), USAGE, as_json=as_json)
    except (UsageFault, PeerFault) as fault:  # an address that is none, say: the argument is to blame
        return fail("usage", str(fault), USAGE, as_json=as_json)
    except HongyanError as error:
        return fail(error.kind, error.sentence or error.cause, FAILED, as_json=as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read our answer has read enough
        sys.stdout = None
        return DONE
    return done if isinstance(done, int) else DONE


def make_app() -> App:
    """Return the tree of commands, in the language of the environment."""
    app = App(
        name="hongyan",
        help=say("Mail from end to end: SMTP, IMAP and POP3 in one process."),
        help_format="plaintext",
        help_formatter=format_help,
        version=hongyan.__version__,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    for name, place, sentence in _COMMANDS:
        app.command(f"{_PACKAGE}.{place}", name=name, help=say(sentence))
    return app


def _name_near(error: UnknownCommandError) -> str:
    """Say which command may be meant. (The error itself would import every command to find out.)"""
    import difflib

    typed = (error.unused_tokens or [""])[0]
    names = [name for name in error.app or () if not name.startswith("-")]
    near = difflib.get_close_matches(typed, names, 1)
    if near:
        return f'There is no command "{typed}". Did you mean "{near[0]}"?'
    return f'There is no command "{typed}". There are: {", ".join(names)}.'
