"""`report`: what others report of our domains, what we report to them, and who wants to hear nothing."""

from __future__ import annotations

__all__ = ["app"]

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from hongyan.cli.acting import act, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say, translate

app = group("report", "Reports on DMARC and TLS: those of others on our domains, and ours to them.")

_Domain = Annotated[str, about("The domain.")]
_Since = Annotated[datetime | None, about("From this moment on, as 2026-11-23, in UTC; else for the last thirty days.")]


@command(app, "list")
def list_reports(
    domain: Annotated[str | None, about("On this domain alone.")] = None,
    /,
    *,
    since: _Since = None,
    limit: Annotated[int, about("How many reports at most.")] = 100,
    where: Where = WHERE,
) -> int:
    """List the reports that others sent on our domains, the newest first."""
    asked = {"domain": domain, "since": _moment(since), "limit": limit}
    return act(where, "report.list", asked, _print_reports)


@command(app)
def show(domain: _Domain, /, *, since: _Since = None, where: Where = WHERE) -> int:
    """Add up what others say of a domain: how much passed, which servers sent the rest, why, and what helps."""
    return act(where, "report.show", {"domain": domain, "since": _moment(since)}, _print_shown)


@command(app)
def pending(*, limit: Annotated[int, about("How many reports at most.")] = 100, where: Where = WHERE) -> int:
    """List the reports to other domains that were not sent yet."""
    return act(where, "report.pending", {"limit": limit}, _print_pending)


@command(app)
def optout(
    domain: Annotated[str | None, about("The domain; without one, those that want none are listed.")] = None,
    /,
    *,
    undo: Annotated[bool, about("Send it reports again.", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Send a domain and those below it no reports any more, or list those that are sent none."""
    if domain is None:
        return act(where, "report.optouts", {}, _print_optouts)
    return act(where, "report.optout", {"domain": domain, "undo": undo, "dry_run": dry_run}, _print_opted_out)


def _moment(since: datetime | None) -> str | None:
    return None if since is None else since.replace(tzinfo=since.tzinfo or UTC).isoformat()


def _print_reports(answer: Document) -> None:
    print_table(
        ("domain", "kind", "reporter", "from", "until", "good", "bad"),
        [
            (
                one["domain"],
                str(one["kind"]).upper(),
                _reporter(one),
                moment_words(one["begin"]),
                moment_words(one["end"]),
                one["succeeded"],
                one["failed"],
            )
            for one in _list(answer["reports"])
        ],
        empty="Nobody has reported anything.",
    )


def _print_shown(answer: Document) -> None:
    dmarc, tls = _document(answer["dmarc"]), _document(answer["tls"])
    if not dmarc["reports"] and not tls["reports"]:
        tell(say("Nobody has reported anything since {moment}.", moment=moment_words(answer["since"])))
        return
    for told, print_part in ((dmarc, _print_dmarc), (tls, _print_tls)):
        if told["reports"]:
            print_part(told)
            tell("")
    rows = [(_reporter(one), one["reports"]) for one in _list(answer["reporters"])]
    print_table(("reporter", "reports"), rows)
    if not answer["is_whole"]:
        tell(say("There are more reports than are added up: ask for a shorter time with --since."))


def _print_dmarc(dmarc: Document) -> None:
    tell(
        say(
            "DMARC: messages {messages}, passed {passed}, failed {failed}; reports {reports}.",
            messages=dmarc["messages"],
            reports=dmarc["reports"],
            passed=dmarc["passed"],
            failed=dmarc["failed"],
        )
    )
    sources = _list(dmarc["sources"])
    if sources:
        print_table(
            ("address", "server name", "messages", "by SPF", "by DKIM", "failed", "rejected"),
            [
                (
                    one["address"],
                    one["name"],
                    one["messages"],
                    one["by_spf"],
                    one["by_dkim"],
                    one["failed"],
                    one["rejected"],
                )
                for one in sources
            ],
        )
    told: dict[tuple[str, str], list[str]] = {}
    for one in sources:
        if one["trouble"]:
            told.setdefault((str(one["sentence"]), str(one["remedy"])), []).append(str(one["address"]))
    for (sentence, remedy), addresses in told.items():
        _print_advice(", ".join(addresses[:5]) + (" …" if len(addresses) > 5 else ""), sentence, remedy)


def _print_tls(tls: Document) -> None:
    words = say(
        "TLS: sessions {sessions}, failed {failed}; reports {reports}.",
        sessions=tls["sessions"],
        reports=tls["reports"],
        failed=tls["failed"],
    )
    tell(words)
    for one in _list(tls["failures"]):
        what = say("{host}: sessions {count}", host=one["host"] or say("any host"), count=one["sessions"])
        _print_advice(what, str(one["sentence"]), str(one["remedy"]))


def _print_advice(what: str, sentence: str, remedy: str) -> None:
    tell("• " + say("{what}: {sentence}", what=what, sentence=translate(sentence)))
    tell(f"  {translate(remedy)}")


def _print_pending(answer: Document) -> None:
    print_table(
        ("domain", "kind", "day", "facts", "leaves at"),
        [
            (one["domain"], str(one["kind"]).upper(), one["day"], one["facts"], moment_words(one["due_at"]))
            for one in _list(answer["reports"])
        ],
        empty="There is nothing to report yet.",
    )


def _print_optouts(answer: Document) -> None:
    rows = [(one["domain"], moment_words(one["since"]) or "[reports] opt_out") for one in _list(answer["domains"])]
    print_table(("domain", "since"), rows, empty="Every domain that asks is sent reports.")


def _print_opted_out(answer: Document) -> None:
    if is_dry(answer):
        return
    if answer["reports"]:
        tell(say("{domain} is sent reports again.", domain=answer["domain"]))
    else:
        tell(say("{domain} is sent no reports any more.", domain=answer["domain"]))


def _reporter(one: Mapping[str, object]) -> str:
    """Return who reports: in its own words, and by the domain that was vouched for."""
    organization, sender = str(one["organization"]), str(one["sender"])
    return sender if organization == sender else f"{organization} ({sender})"


def _list(value: object) -> Sequence[Document]:
    return value if isinstance(value, list) else []


def _document(value: object) -> Document:
    return value if isinstance(value, dict) else {}
