"""`certificate`: which are shown, when they end, and how to have new ones now."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import moment_words, print_lines, print_table, tell
from hongyan.cli.words import say

app = group("certificate", "Certificates: which are shown, when they end, and how to renew them.")


@command(app, "list")
def list_certificates(
    *,
    keys: Annotated[bool, about("Show TLSA records for the keys, the next one's too.", negative="")] = False,
    where: Where = WHERE,
) -> int:
    """List certificates, when they end and are renewed, and what failed."""
    return act(where, "certificate.list", {}, _print_keys if keys else _print_certificates)


@command(app)
def renew(
    name: Annotated[str | None, about("What the certificate is called in the list; without it, all.")] = None,
    /,
    *,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Order certificates from the authority now, and take them into service."""
    return act(where, "certificate.renew", {"name": name, "dry_run": dry_run}, _print_renewed)


def _print_certificates(answer: Document) -> None:
    listed = _listed(answer)
    print_table(
        ("certificate", "names", "ends", "renewal"),
        [
            (
                each["name"],
                "\n".join(texts(each["names"])),
                moment_words(each["ends"]) if each["ends"] else say("not there yet"),
                moment_words(each["renewal"]) if each.get("renewal") else "",
            )
            for each in listed
        ],
        empty="There are no certificates.",
    )
    for each in listed:
        for trouble in texts(each["trouble"]):
            tell(say("{name} failed: {trouble}", name=each["name"], trouble=trouble))
        if each.get("next_try"):
            tell(say("It is tried again at {moment}.", moment=moment_words(each["next_try"])))


def _print_keys(answer: Document) -> None:
    """Print TLSA records as a zone file has them (RFC 6698 §2.2): that in use, and that of the next key."""
    lines = []
    for each in _listed(answer):
        if each.get("key") or each.get("next_key"):
            lines += [f"; {each['name']}"]
            lines += [f"_25._tcp.{each['name']}. TLSA 3 1 1 {each[of]}" for of in ("key", "next_key") if each[of]]
    print_lines(lines)


def _print_renewed(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("In service: {names}", names=", ".join(texts(answer["renewed"]))))


def _listed(answer: Document) -> list[Document]:
    listed = answer["certificates"]
    return list(listed) if isinstance(listed, list) else []
