"""Help in the reader's language: three columns at most, no boxes."""

from __future__ import annotations

__all__ = ["format_help"]

from typing import TYPE_CHECKING

from hongyan.cli.words import say, translate

if TYPE_CHECKING:  # and rich only where help is shown: other commands do not wait for it
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

_NAMES = 32  # columns
_NO_DEFAULT = (None, "()", "None", "False", '""', "0")
_USAGE = "Usage: "
_TITLES = {"Parameters": "Options"}


class _HelpFormatter:
    """What cyclopts asks to show a page of help (`cyclopts.help.protocols.HelpFormatter`)."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:  # noqa: ARG002
        from rich.table import Table

        if not panel.entries:
            return
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.add_column(min_width=12, max_width=_NAMES)
        table.add_column(overflow="fold")
        for entry in panel.entries:
            table.add_row(_text("  " + " ".join(entry.display_labels_with_metavar), "cyan"), _describe(entry))
        title = _plain(panel.title)
        console.print(_text(say(_TITLES.get(title, title)), "bold"))
        console.print(table)
        console.print()

    def render_usage(self, console: Console, options: ConsoleOptions, usage: RenderableType | None) -> None:  # noqa: ARG002
        words = _plain(usage).strip().removeprefix(_USAGE)
        for word in ("COMMAND", "OPTIONS"):
            words = words.replace(word, say(word))
        console.print(_text(f"{say('Usage')}: ", "bold").append(words, "not bold"), soft_wrap=True)
        console.print()

    def render_description(
        self,
        console: Console,
        options: ConsoleOptions,  # noqa: ARG002
        description: RenderableType | None,
    ) -> None:
        if words := _plain(description).strip():
            console.print(_text(words))
            console.print()


format_help = _HelpFormatter()


def _describe(entry: HelpEntry) -> Text:
    text = _text(translate(_plain(entry.description)))
    if entry.choices:
        text.append(f" ({' | '.join(entry.choices)})", "dim")
    if entry.default not in _NO_DEFAULT:
        text.append(" " + say("[default: {value}]", value=entry.default), "dim")
    if entry.required:
        text.append(" " + say("[required]"), "dim")
    return text


def _text(words: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(words, style)


def _plain(shown: object) -> str:
    """Return the words of what is to be shown; help is plain text throughout."""
    inner = getattr(shown, "primary_renderable", shown)
    return str(getattr(inner, "plain", inner) or "")
