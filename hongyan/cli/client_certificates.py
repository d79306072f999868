"""`client-certificate`: certificates by which mail programs log in (客户端证书)."""

from __future__ import annotations

__all__ = ["app"]

import os
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say

app = group("client-certificate", "Client certificates: by which mail programs log in without a secret that is typed.")

_Address = Annotated[str, about("The account's address.")]


@command(app)
def issue(
    address: _Address,
    label: Annotated[str, about("What it is for, such as the name of a device.")] = "mail program",
    /,
    *,
    service: Annotated[
        tuple[Literal["imap", "pop3", "smtp"], ...],
        about("For this service alone; may be said several times.", name="--service", negative=""),
    ] = (),
    days: Annotated[int | None, about("How many days it lasts.", show_default=False)] = None,
    folder: Annotated[Path, about("Directory in which the files are put.")] = Path(),
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Make a key and its certificate, and write them to two files, this once: PKCS#12 and PEM.

    With --json nothing is written: the answer holds both.
    """
    if not folder.is_dir():
        raise UsageFault(f"There is no directory {folder}.")
    return act(
        where,
        "client-certificate.issue",
        {
            "address": address,
            "label": label,
            "services": list(service) or None,
            "days": days,
            "dry_run": dry_run,
        },
        lambda answer: _write_files(answer, folder),
    )


@command(app, "list")
def list_certificates(address: _Address, /, *, where: Where = WHERE) -> int:
    """List the client certificates of an account, when each ends, and when it was last used."""
    return act(where, "client-certificate.list", {"address": address}, _print_certificates)


@command(app)
def revoke(
    address: _Address,
    number: Annotated[tuple[int, ...], about("Its number in the list; several may be said.", negative="")] = (),
    /,
    *,
    everything: Annotated[bool, about("Revoke all.", name="--all", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Revoke client certificates. Connections that were opened with them end."""
    if everything == bool(number):
        raise UsageFault("Name client certificates by their numbers, or say --all.")
    return act(
        where,
        "client-certificate.revoke",
        {"address": address, "numbers": None if everything else list(number), "dry_run": dry_run},
        _print_revoked,
    )


def _write_files(answer: Document, folder: Path) -> None:
    if is_dry(answer):
        return
    stem = f"{str(answer['address']).replace('/', '_')}-{answer['number']}"
    bundle, pem = folder / f"{stem}.p12", folder / f"{stem}.pem"
    _write(bundle, b64decode(str(answer["pkcs12"])))
    _write(pem, str(answer["pem"]).encode())
    tell(f"{say('services')}: {' '.join(texts(answer['services']))}")
    tell(f"{say('ends')}: {moment_words(answer['expires_at'])}")
    tell(f"PKCS#12: {bundle}")
    tell(f"{say('its password')}: {answer['pkcs12_password']}")
    tell(f"PEM: {pem}")
    tell(say("The key is in these files alone: put them where they belong, and remove them here."))


def _write(path: Path, octets: bytes) -> None:
    """Write a file that nobody else reads, and never over another."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
    except OSError as error:
        raise UsageFault(f"{path} cannot be written: {error.strerror}.") from error


def _print_certificates(answer: Document) -> None:
    listed = answer["certificates"]
    known: list[Document] = list(listed) if isinstance(listed, list) else []
    print_table(
        ("number", "label", "services", "made", "ends", "last used", "from"),
        [
            (
                one["number"],
                one["label"],
                " ".join(texts(one["services"])),
                moment_words(one["created_at"]),
                moment_words(one["expires_at"]),
                moment_words(one["last_used_at"]) or say("never"),
                one["last_used_from"],
            )
            for one in known
        ],
        empty="The account has no client certificate.",
    )


def _print_revoked(answer: Document) -> None:
    if not is_dry(answer):
        revoked = answer["certificates"]
        tell(say("{count} revoked.", count=len(revoked) if isinstance(revoked, list) else 0))
