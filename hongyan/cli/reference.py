"""The page of all commands, made from the commands themselves."""

from __future__ import annotations

__all__ = ["make_page"]

from hongyan.cli.program import make_app

_HEAD = """\
# Commands

Made by `make docs` from the commands as the code declares them; do not edit.

**Which service.** A command is for the service whose configuration `--config` names (else `$HONGYAN_CONFIG`,
`./hongyan.toml`, `/etc/hongyan/hongyan.toml`), or whose data `--data` names; beside `var/development`, where `make run`
keeps its data, for that one. While the service runs, a command speaks to it over the socket `control.sock` among the
data, which is open to root and to the service's own user; otherwise it takes the lock of the data and works on them
itself. It does the same either way.

**Answers.** With `--json` the answer is one JSON document, an error included: `{"error": {"kind": …, "sentence": …}}`.
Otherwise sentences and tables, in Chinese where `LC_ALL`, `LC_MESSAGES` or `LANG` say so; `NO_COLOR` is respected.

| exit code | |
|--|--|
| 0 | done |
| 1 | failed; the error says why |
| 2 | the command itself was wrong, nothing was tried |
| 3 | done, and what was found needs somebody's attention |

**Secrets** never stand on a command line, which every user of a machine can read: a password is made up and shown once,
asked for, or read from the standard input. `demo` alone takes them: they protect nothing.

**Import and export** can be begun again: a message that was brought in within the last 30 days, the same octets for the
same mailbox, is not stored twice, and a Maildir is filled up where it was left. A mailbox of a Maildir has room for 26
keywords: those that came later are named, and the exit code is 3.

"""


def make_page() -> str:
    """Return the page, in the language of the environment."""
    pages = make_app().generate_docs(output_format="markdown")
    commands = pages.partition("\n## ")[2]
    lines = [line.rstrip() for line in f"## {commands}".splitlines()]
    return _HEAD + "\n".join(lines).replace(" *[default: False]*", "").replace(" *[default: ()]*", "") + "\n"
