"""The program `hongyan`: its groups of commands, each imported when it is needed, and what becomes of errors."""

from __future__ import annotations

__all__ = ["run"]

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group

import hongyan
from hongyan.cli.commands import DONE, FAILED, USAGE
from hongyan.cli.fault import CommandFault, UsageFault
from hongyan.cli.help import format_help
from hongyan.cli.screen import fail
from hongyan.cli.words import say
from hongyan.errors import HongyanError, PeerFault

_PACKAGE = "hongyan.cli"
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it

_COMMANDS = (
    ("serve", "serve:serve", "Run the service."),
    ("demo", "demo:demo", "Run a throw-away service on loopback, for programs and tests."),
)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    as_json = "--json" in arguments
    try:
        done = _make_app()(list(arguments))
    except CycloptsError as error:
        return fail("usage", str(error), USAGE, as_json=as_json)
    except (UsageFault, PeerFault) as fault:  # an address that is none, say: the argument is to blame
        return fail("usage", str(fault), USAGE, as_json=as_json)
    except HongyanError as error:
        return fail(_kind(error), error.sentence or error.cause, FAILED, as_json=as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read our answer has read enough
        sys.stdout = None
        return DONE
    return done if isinstance(done, int) else DONE


def _make_app() -> App:
    app = App(
        name="hongyan",
        help=say("Mail from end to end: SMTP, IMAP and POP3 in one process."),
        help_format="plaintext",
        help_formatter=format_help,
        version=hongyan.__version__,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        group_commands=Group(say("Commands")),
        group_arguments=Group(say("Arguments")),
        group_parameters=Group(say("Options")),
    )
    for name, place, sentence in _COMMANDS:
        app.command(f"{_PACKAGE}.{place}", name=name, help=say(sentence))
    return app


def _kind(error: HongyanError) -> str:
    """Return the name of an error as programs read it: `NotFound` is `not-found`."""
    if isinstance(error, CommandFault):
        return error.kind
    name = type(error).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
