"""What a service without a configuration says when it is ready: where it listens, who may log in, what to try."""

from __future__ import annotations

__all__ = ["as_json", "print_welcome"]

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hongyan.cli.screen import print_lines, print_table, tell
from hongyan.cli.words import say
from hongyan.config import Service
from hongyan.demonstration import DOMAIN, USER, DemoAccount
from hongyan.servers.arrival import Endpoint

_USES: Mapping[Service, tuple[str, str]] = {
    "smtp": ("mail from other servers", "STARTTLS"),
    "submissions": ("mail from mail programs", "TLS"),
    "submission": ("mail from mail programs", "STARTTLS"),
    "imaps": ("reading mail", "TLS"),
    "imap": ("reading mail", "STARTTLS"),
    "pop3s": ("fetching mail", "TLS"),
    "pop3": ("fetching mail", "STARTTLS"),
    "submissions-certificate": ("mail from mail programs", "TLS, certificate"),
    "imaps-certificate": ("reading mail", "TLS, certificate"),
    "pop3s-certificate": ("fetching mail", "TLS, certificate"),
    "http": ("the web client, JMAP", ""),
    "https": ("the web client, JMAP", "TLS"),
}


def as_json(
    endpoints: Mapping[Service, Endpoint], accounts: Sequence[DemoAccount], authority: Path, data: Path
) -> dict[str, object]:
    """Return everything that a program needs to use the service."""
    http, https = (f"{service}://localhost:{endpoints[service].port}" for service in ("http", "https"))
    return {
        **{service: str(endpoint) for service, endpoint in endpoints.items()},
        "http": http,
        "https": https,
        "metrics": f"{http}/metrics",
        "jmap": f"{https}/jmap/session",
        "ca": str(authority),
        "data": str(data),
        "pid": os.getpid(),
        "domain": DOMAIN,
        "accounts": [account.as_json() for account in accounts],
    }


def print_welcome(endpoints: Mapping[Service, Endpoint], accounts: Sequence[DemoAccount], authority: Path) -> None:
    """Print where the service listens, who may log in, and three commands to try."""
    tell("")
    print_table(
        ("service", "address", "encryption", "for"),
        [
            (service, f"{_scheme_of(service)}://localhost:{endpoints[service].port}", tls, say(use))
            for service, (use, tls) in _USES.items()
        ],
    )
    tell("")
    print_table(
        ("login", "password", "app password", "role"),
        [
            (
                account.address,
                account.password.reveal_text(),
                account.app_password.reveal_text(),
                say(account.role.value),
            )
            for account in accounts
        ],
    )
    tell("")
    tell(
        say("Mail in the browser: {url} (log in with the password)", url=f"http://localhost:{endpoints['http'].port}/")
    )
    tell("")
    tell(say("Certificate authority: {path}", path=_short(authority)))
    tell("")
    print_lines(_to_try(endpoints, accounts, authority))
    tell("")
    tell(say("Ctrl-C stops it. The next start has the same data."))


def _to_try(endpoints: Mapping[Service, Endpoint], accounts: Sequence[DemoAccount], authority: Path) -> tuple[str, ...]:
    user = next((account for account in accounts if str(account.address) == USER), accounts[0])
    smtp, imaps, http = (endpoints[service].port for service in ("smtp", "imaps", "http"))
    message = f"From: friend@elsewhere.test\\nTo: {user.address}\\nSubject: Hello\\n\\nThe geese are back.\\n"
    envelope = f"--mail-from friend@elsewhere.test --mail-rcpt {user.address}"
    login = f"--cacert {_short(authority)} --user '{user.address}:{user.app_password.reveal_text()}'"
    return (
        f"# {say('Another server brings a message')}",
        f"printf '{message}' | curl --crlf {envelope} --upload-file - smtp://localhost:{smtp}",
        f"# {say('Read it')}",
        f"curl {login} 'imaps://localhost:{imaps}/INBOX;MAILINDEX=1'",
        f"# {say('How is it doing?')}",
        f"curl http://localhost:{http}/healthz",
    )


def _short(path: Path) -> Path:
    """Return a path as somebody in this directory would type it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _scheme_of(service: Service) -> str:
    """Return the scheme of a service's address, as curl and mail programs know it."""
    plain = service.removesuffix("-certificate")
    return {"submissions": "smtps", "submission": "smtp"}.get(plain, plain)
