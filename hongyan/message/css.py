"""The style of HTML mail, by allow-list: properties, values, selectors and rules that can do no harm are written anew.

The grammar is tinycss2's (CSS Syntax Level 3), and what leaves is written from its tree, so that no escape, comment or
broken string of the sender survives. Whatever is not known here is dropped: `var()`, `expression()`, `position`,
`content`, every at-rule but `@media`, every selector that looks at attributes. A `url()` is passed to the reader's
policy for images, and goes if that has no answer.
"""

from __future__ import annotations

__all__ = ["PREFIX", "SCOPE", "MapUrl", "StyleCleaner"]

import re
from collections.abc import Callable, Sequence
from typing import Final

import tinycss2
from tinycss2 import ast

MapUrl = Callable[[str], str | None]
"""What an image's URL becomes; None if it may not be shown."""

SCOPE: Final = "hongyan-mail"
"""The class of the element that stands for the message's body: every selector begins with it."""

PREFIX: Final = "m-"
"""What names of the sender begin with, so that they are never names of ours."""

MAX_STYLE = 128 * 1024
"""Characters of CSS that are read of a message; what follows is dropped."""

_MAX_DECLARATION = 2048
_MAX_SELECTOR = 300
_MAX_NESTING = 8

_BORDERS = frozenset(
    f"border{side}{kind}"
    for side in ("", "-top", "-right", "-bottom", "-left")
    for kind in ("", "-color", "-style", "-width")
)
_BOX = frozenset(f"{box}{side}" for box in ("margin", "padding") for side in ("", "-top", "-right", "-bottom", "-left"))
_PROPERTIES = (
    _BORDERS
    | _BOX
    | frozenset(
        {
            *("background", "background-color", "background-image", "background-position", "background-repeat"),
            *("background-size", "border-collapse", "border-radius", "border-spacing", "box-sizing", "caption-side"),
            *("border-top-left-radius", "border-top-right-radius", "border-bottom-left-radius"),
            *("border-bottom-right-radius", "clear", "color", "direction", "display", "empty-cells", "float", "font"),
            *("font-family", "font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing"),
            *("line-height", "list-style", "list-style-position", "list-style-type", "max-height", "max-width"),
            *("min-height", "min-width", "opacity", "overflow", "overflow-wrap", "table-layout", "text-align"),
            *("text-align-last", "text-decoration", "text-decoration-color", "text-decoration-line"),
            *(
                "text-decoration-style",
                "text-indent",
                "text-overflow",
                "text-transform",
                "vertical-align",
                "visibility",
            ),
            *("white-space", "width", "word-break", "word-spacing", "word-wrap", "align-items", "align-content"),
            *("align-self", "justify-content", "flex", "flex-direction", "flex-grow", "flex-shrink", "flex-basis"),
            *("flex-wrap", "flex-flow", "order", "gap", "color-scheme", "text-size-adjust", "-webkit-text-size-adjust"),
        }
    )
)
_WITH_IMAGES = frozenset({"background", "background-image"})
_DISPLAYS = frozenset(
    {"block", "inline", "inline-block", "none", "flex", "inline-flex", "list-item", "table", "inline-table"}
    | {"table-cell", "table-row", "table-row-group", "table-header-group", "table-footer-group", "table-caption"}
    | {"table-column", "table-column-group", "initial", "inherit", "revert", "unset"}
)
_FUNCTIONS = frozenset(
    {"rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp", "linear-gradient", "radial-gradient"}
)
_IDENT = re.compile(r"-?[a-zA-Z][a-zA-Z0-9_-]{0,40}")
_FAMILY = re.compile(r"[\w .,_-]{1,100}")
_HASH = re.compile(r"[0-9a-fA-F]{3,8}")
_UNIT = re.compile(r"[a-zA-Z]{1,8}")
_NAME = re.compile(r"[\w-]{1,100}")
_URL = re.compile(r"(?:/(?!/)|data:image/)[A-Za-z0-9/:.?=&%+,;_~!@$*-]*")  # here, or within itself
_PSEUDO = frozenset({"hover", "link", "visited", "active", "focus", "first-child", "last-child", "first-of-type"})
_MEDIA_WORDS = re.compile(
    r"screen|all|print|only|and|not|or|(?:min-|max-)?(?:device-)?(?:width|height)|prefers-color-scheme|dark|light"
    r"|orientation|portrait|landscape",
    re.IGNORECASE,
)
_BESIDE = re.compile(rf"\.{SCOPE}[^ >]* ?[+~]")  # what stands beside the message is none of its business
_ROOTS = frozenset({"html", "body"})


class _Unsafe(Exception):
    """It is not known to be harmless."""


class StyleCleaner:
    """Cleans the style of one message, up to a bound for all of it."""

    def __init__(self, map_url: MapUrl) -> None:
        self._map_url = map_url
        self._left = MAX_STYLE
        self._known: dict[str, str] = {}

    def clean_attribute(self, style: str) -> str:
        """Return the declarations of a style attribute that may stay."""
        known = self._known.get(style)
        if known is None:
            known = ""
            if self._take(style):
                nodes = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
                known = self._declarations(nodes)
            self._known[style] = known
        return known

    def clean_sheet(self, css: str) -> str:
        """Return the rules of a style sheet that may stay, for the message alone."""
        css = css.replace("<!--", "").replace("-->", "")
        if not self._take(css):
            return ""
        return "\n".join(self._rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), True))

    def clean_color(self, color: str) -> str:
        """Return a color of an old attribute such as bgcolor, "" if it is none."""
        color = color.strip()
        return color if _IDENT.fullmatch(color) or (color[:1] == "#" and _HASH.fullmatch(color[1:])) else ""

    def _take(self, css: str) -> bool:
        self._left -= len(css)
        return self._left >= 0

    def _rules(self, nodes: Sequence[ast.Node], may_nest: bool) -> list[str]:
        rules = []
        for node in nodes:
            if isinstance(node, ast.QualifiedRule):
                selectors = _selectors(node.prelude)
                body = self._declarations(
                    tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
                )
                if selectors and body:
                    rules.append(f"{selectors}{{{body}}}")
            elif isinstance(node, ast.AtRule) and may_nest and node.lower_at_keyword == "media" and node.content:
                media = _media(node.prelude)
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                within = self._rules(inner, False) if media else []
                if within:
                    rules.append(f"@media {media}{{{''.join(within)}}}")
        return rules

    def _declarations(self, nodes: Sequence[ast.Node]) -> str:
        kept = []
        for node in nodes:
            if not isinstance(node, ast.Declaration) or node.lower_name not in _PROPERTIES:
                continue
            try:
                value = self._value(node.lower_name, node.value)
            except _Unsafe:
                continue
            if value and len(value) <= _MAX_DECLARATION:
                kept.append(f"{node.lower_name}:{value}{'!important' if node.important else ''}")
        return ";".join(kept)

    def _value(self, name: str, nodes: Sequence[ast.Node]) -> str:
        text = "".join(self._component(name, node) for node in nodes).strip()
        text = " ".join(text.split())
        if name == "display" and text.lower() not in _DISPLAYS:
            raise _Unsafe
        return text

    def _component(self, name: str, node: ast.Node, depth: int = 0) -> str:
        if depth > _MAX_NESTING:
            raise _Unsafe
        match node:
            case ast.WhitespaceToken() | ast.Comment():
                return " "
            case ast.URLToken():
                return self._image(name, node.value)
            case ast.FunctionBlock() if node.lower_name == "url":
                strings = [one for one in node.arguments if not isinstance(one, ast.WhitespaceToken)]
                if len(strings) != 1 or not isinstance(strings[0], ast.StringToken):
                    raise _Unsafe
                return self._image(name, strings[0].value)
            case ast.FunctionBlock() if node.lower_name in _FUNCTIONS:
                return f"{node.lower_name}({''.join(self._component('', one, depth + 1) for one in node.arguments)})"
            case ast.ParenthesesBlock() if not name:
                return f"({''.join(self._component('', one, depth + 1) for one in node.content)})"
            case ast.StringToken() if name in ("font", "font-family") and _FAMILY.fullmatch(node.value):
                return f"'{node.value}'"
            case ast.LiteralToken() if node.value in ("," if name else ",+-*") or node.value == "/":
                return str(node.value)
        return _plain(node)

    def _image(self, name: str, url: str) -> str:
        if name not in _WITH_IMAGES:
            raise _Unsafe
        mapped = self._map_url(url)
        if mapped is None:
            return " "
        if not _URL.fullmatch(mapped):
            raise _Unsafe
        return f'url("{mapped}")'


def _plain(node: ast.Node) -> str:
    """Write a token that holds nothing but itself. Raises `_Unsafe`."""
    match node:
        case ast.IdentToken() if _IDENT.fullmatch(node.value) or (node.value.isalpha() and len(node.value) < 100):
            return str(node.value)
        case ast.HashToken() if _HASH.fullmatch(node.value):
            return f"#{node.value}"
        case ast.NumberToken():
            return _number(node)
        case ast.PercentageToken():
            return f"{_number(node)}%"
        case ast.DimensionToken() if _UNIT.fullmatch(node.unit):
            return f"{_number(node)}{node.unit}"
    raise _Unsafe


_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,7}(?:\.[0-9]{1,20})?|\.[0-9]{1,20})")


def _number(node: ast.NumberToken | ast.PercentageToken | ast.DimensionToken) -> str:
    if not _NUMBER.fullmatch(node.representation):
        raise _Unsafe
    return str(node.representation)


def _selectors(prelude: Sequence[ast.Node]) -> str:
    """Return the selectors that are known, each within the message; "" if none is."""
    kept = []
    groups: list[list[ast.Node]] = [[]]
    for node in prelude:
        if isinstance(node, ast.LiteralToken) and node.value == ",":
            groups.append([])
        else:
            groups[-1].append(node)
    for group in groups:
        try:
            selector = _selector(group)
        except _Unsafe:
            continue
        if 0 < len(selector) <= _MAX_SELECTOR:
            kept.append(selector)
    return ",".join(kept)


def _selector(nodes: Sequence[ast.Node]) -> str:
    pieces: list[str] = []
    before = ""
    for node in nodes:
        match node:
            case ast.WhitespaceToken():
                pieces.append(" ")
            case ast.LiteralToken() if node.value in (".", ":") and before == "":
                before = node.value
                continue
            case ast.LiteralToken() if node.value in ("*", ">", "+", "~") and before == "":
                pieces.append(node.value)
            case ast.IdentToken() if before == "." and _NAME.fullmatch(node.value):
                pieces.append(f".{_own(node.value)}")
            case ast.IdentToken() if before == ":" and node.lower_value in _PSEUDO:
                pieces.append(f":{node.lower_value}")
            case ast.IdentToken() if before == "" and _IDENT.fullmatch(node.value):
                pieces.append("\0" if node.lower_value in _ROOTS else node.lower_value)
            case ast.HashToken() if before == "" and _NAME.fullmatch(node.value):
                pieces.append(f"#{_own(node.value)}")
            case _:
                raise _Unsafe
        before = ""
    text = " ".join("".join(pieces).split())
    if before or not text or text[0] in ">+~" or text[-1] in ">+~":
        raise _Unsafe
    # "html body p" and "body p" both mean p within the message; the scope that is there already is not doubled.
    text = re.sub(r"\0(?: ?>? ?\0)*", f".{SCOPE}", text)
    if _BESIDE.match(text):
        raise _Unsafe
    return text if text.startswith(f".{SCOPE}") else f".{SCOPE} {text}"


def _own(name: str) -> str:
    """Return a class or an id of the sender as it is written."""
    return name if name.startswith(PREFIX) or name == SCOPE else PREFIX + name


def _media(prelude: Sequence[ast.Node]) -> str:
    """Return the condition of an @media rule, "" if something in it is not known."""
    try:
        return " ".join("".join(_media_part(node) for node in prelude).split())
    except _Unsafe:
        return ""


def _media_part(node: ast.Node, depth: int = 0) -> str:
    if depth > _MAX_NESTING:
        raise _Unsafe
    match node:
        case ast.WhitespaceToken():
            return " "
        case ast.IdentToken() if _MEDIA_WORDS.fullmatch(node.value):
            return str(node.lower_value)
        case ast.LiteralToken() if node.value in (",", ":"):
            return str(node.value)
        case ast.ParenthesesBlock():
            return f"({''.join(_media_part(one, depth + 1) for one in node.content)})"
        case ast.DimensionToken() | ast.NumberToken():
            return _plain(node)
    raise _Unsafe
