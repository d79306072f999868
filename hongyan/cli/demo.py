"""`demo`: a throw-away mail service on loopback, for tests, benchmarks and people who want to look.

The secrets of its accounts may stand on the command line: they protect nothing.
"""

from __future__ import annotations

__all__ = ["demo"]

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from hongyan.addresses import Address
from hongyan.app import App
from hongyan.cli.commands import DONE, about
from hongyan.cli.demo_tables import as_json, print_welcome
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import print_json
from hongyan.cli.serving import run_service
from hongyan.demonstration import (
    DOMAIN,
    Demonstration,
    PlannedAccount,
    bind_free_ports,
    configure,
    furnish,
    ports_from,
)
from hongyan.secret import Secret

_HIGHEST_BASE = 65535 - 995


def demo(
    *,
    json: Annotated[bool, about("Print one line of JSON when it is ready.", negative="", show_default=False)] = False,
    data: Annotated[Path | None, about("Keep the data here; else they are gone at the end.")] = None,
    port_base: Annotated[int | None, about("Listen on this plus 25, 465, 587 and so on; else on free ports.")] = None,
    account: Annotated[
        tuple[str, ...],
        about("Make an account ADDRESS=SECRET, whose password and app password are the secret.", negative=""),
    ] = (),
    accounts: Annotated[int, about("Make so many accounts u000 and so on, with the secret of --secret.")] = 0,
    secret: Annotated[str, about("The secret of the accounts of --accounts.")] = "",
    plaintext_auth: Annotated[bool, about("Take logins without TLS.", negative="", show_default=False)] = False,
    limits: Annotated[Literal["on", "off"], about("Whether connections and logins are limited.")] = "on",
    resolver: Annotated[str, about("HOST:PORT of the DNS server to ask.")] = "",
    relay: Annotated[
        str, about("HOST:PORT that takes all outgoing mail. Without it and --resolver, such mail is held.")
    ] = "",
) -> int:
    """Run a throw-away service on loopback, until SIGTERM or until a pipe on its standard input is closed."""
    if port_base is not None and not 0 <= port_base <= _HIGHEST_BASE:
        raise UsageFault(f"--port-base is between 0 and {_HIGHEST_BASE}.")
    kept = data is not None
    folder = data.absolute() if data else Path(tempfile.mkdtemp(prefix="hongyan-demo-"))
    try:
        wanted = Demonstration(
            data=folder,
            ports={} if port_base is None else ports_from(port_base),
            accounts=[*_named(account), *_numbered(accounts, secret)],
            plaintext_auth=plaintext_auth,
            limits=limits == "on",
            resolver=resolver,
            relay=relay,
        )
        _run(wanted, as_document=json)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    return DONE


def _run(wanted: Demonstration, *, as_document: bool) -> None:
    config, certificate = configure(wanted)

    async def show(app: App) -> None:
        accounts = await furnish(app, wanted)
        if as_document:
            print_json(as_json(app.endpoints, accounts, certificate.authority, wanted.data))
        else:
            print_welcome(app.endpoints, accounts, certificate.authority)

    free = {} if wanted.ports else {str(service): bound for service, bound in bind_free_ports().items()}
    run_service(config, show, sockets=free, ends_with_input=True)


def _named(texts: Sequence[str]) -> Iterator[PlannedAccount]:
    for text in texts:
        address, equals, secret = text.partition("=")
        if not equals or not secret:
            raise UsageFault("--account is ADDRESS=SECRET.")
        yield PlannedAccount(Address.parse(address), Secret(secret))


def _numbered(count: int, secret: str) -> Iterator[PlannedAccount]:
    if count and not secret:
        raise UsageFault("--accounts needs --secret.")
    for number in range(count):
        yield PlannedAccount(Address.parse(f"u{number:03d}@{DOMAIN}"), Secret(secret))
