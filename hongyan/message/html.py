"""The HTML of a message made safe to show: parsed twice, and written by allow-list.

First our own tokenizer (`html_tokens`) reads it as browsers do; whatever is known to be harmless is written anew, every
attribute quoted and every element but formatting closed, so that the second parser (html5ever, by nh3) cannot read
tokens, or a depth, that the first did not see. nh3 builds the tree, filters it once more and has the last word: what it
writes is what is shown. Between the two lie the bounds: html5ever takes time in the square of the depth (100,000 nested
elements took it minutes), so depth and number of elements are counted before. Over a bound the message is not cleaned:
`TooComplex`, and its text is shown instead.

Scripts, foreign content (SVG, MathML), frames, forms, `base`, `link` and `meta` go; so do remote images unless the
reader's policy maps their URLs. Links keep http, https, mailto and tel. Style: `message.css`.
"""

from __future__ import annotations

__all__ = ["MAX_HTML", "CleanHtml", "Images", "TooComplex", "clean_html"]

import html as entities
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import nh3

from hongyan.message.css import PREFIX, SCOPE, StyleCleaner
from hongyan.message.html_tokens import EndTag, RawText, StartTag, Text, walk
from hongyan.message.links import Link, judge_link, read_target, web_host

MAX_HTML: Final = 2 * 1024 * 1024
"""Characters of HTML that are cleaned."""

MAX_ELEMENTS: Final = 40_000
MAX_DEPTH: Final = 100
MAX_LINKS: Final = 500
"""Links whose facts are told; all of them are cleaned."""

_MAX_FORMATTING = 12  # a browser opens formatting elements again in each paragraph
_MAX_LINK_TEXT = 300
_MAX_URL = 4096
_MAX_DATA = 300_000
_MAX_HOSTS = 100

_VOID = frozenset({"area", "br", "col", "hr", "img", "wbr"})
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_TABLE_PARTS = frozenset({"caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})
_SCOPES = frozenset({"caption", "table", "td", "th"})
_ENDS_PARAGRAPH = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "details", "dir", "div", "dl", "dt", "figcaption"}
    | {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"}
    | {"section", "summary", "table", "ul"}
)
_OTHERS = frozenset(
    {"abbr", "acronym", "bdi", "cite", "del", "dfn", "ins", "kbd", "map", "mark", "q", "rp", "rt", "ruby", "samp"}
    | {"span", "sub", "sup", "time", "var"}
)
_ELEMENTS = _VOID | _FORMATTING | _TABLE_PARTS | _ENDS_PARAGRAPH | _OTHERS
_FOREIGN = frozenset({"math", "svg"})
# With all that they hold: up to the tag that closes them.
_LOST = _FOREIGN | {"applet", "audio", "canvas", "datalist", "object", "select", "template", "video"}
_BREAKS_OUT = (_ENDS_PARAGRAPH | _FORMATTING | _TABLE_PARTS | {"body", "br", "img", "span", "sub", "sup"}) - {"a"}

_EVERYWHERE = frozenset({"align", "class", "dir", "id", "lang", "style", "title"})
_OF_ELEMENT: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href", "name"}),
    "area": frozenset({"alt", "coords", "href", "shape"}),
    "br": frozenset({"clear"}),
    "col": frozenset({"bgcolor", "span", "valign", "width"}),
    "colgroup": frozenset({"bgcolor", "span", "valign", "width"}),
    "font": frozenset({"color", "face", "size"}),
    "hr": frozenset({"color", "noshade", "size", "width"}),
    "img": frozenset({"alt", "border", "height", "hspace", "src", "usemap", "vspace", "width"}),
    "li": frozenset({"type", "value"}),
    "map": frozenset({"name"}),
    "ol": frozenset({"reversed", "start", "type"}),
    "table": frozenset({"background", "bgcolor", "border", "cellpadding", "cellspacing", "height", "width"}),
    "td": frozenset({"abbr", "background", "bgcolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"}),
    "th": frozenset({"background", "bgcolor", "colspan", "height", "nowrap", "rowspan", "scope", "valign", "width"}),
    "time": frozenset({"datetime"}),
    "tr": frozenset({"background", "bgcolor", "height", "valign"}),
    "ul": frozenset({"type"}),
}
_COLORS = frozenset({"bgcolor", "color"})
_IMAGES = frozenset({"background", "src"})
_OWN_NAMES = frozenset({"id", "name"})
_PLAIN_VALUE = re.compile(r"[\w .,:;%+#()/'!?&*-]{0,200}")
_OWN_NAME = re.compile(r"[^\s\"'<>&]{1,100}")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif|bmp);base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
_SPACE_IN_URL = re.compile(r"[\t\n\r]")

_ATTRIBUTES = {name: set(_EVERYWHERE | _OF_ELEMENT.get(name, frozenset())) for name in _ELEMENTS}
_ATTRIBUTES["a"] |= {"target"}
_ATTRIBUTES["area"] |= {"target"}


class TooComplex(Exception):
    """The HTML has more elements, depth or characters than are cleaned."""


@dataclass(frozen=True, slots=True)
class Images:
    """What becomes of images. `map_cid` gives the URL of a part by its Content-ID; `map_remote` that of one elsewhere.

    Without an answer the image is not shown. A mapped URL is a path on this server.
    """

    map_cid: Callable[[str], str | None] = lambda _: None
    map_remote: Callable[[str], str | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """What may be shown, in an element of the class `css.SCOPE`, and what is worth knowing about it."""

    body: str
    style: str
    """Rules for a style element."""
    body_style: str
    """Declarations that the message had for its body."""
    remote_hosts: Mapping[str, int]
    """How many images each host was to serve, whether or not they are shown."""
    links: tuple[Link, ...]
    """Links that do not lead where they seem to."""


def clean_html(html: str, images: Images | None = None) -> CleanHtml:
    """Return HTML made safe to show. Raises `TooComplex`."""
    if len(html) > MAX_HTML:
        raise TooComplex
    cleaner = _Cleaner(images or Images())
    body = nh3.clean(
        cleaner.write(html.replace("\0", "\ufffd")),
        tags=set(_ELEMENTS),
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        clean_content_tags=set(),
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto", "tel", "data"},
        strip_comments=True,
    )
    return CleanHtml(
        body, "\n".join(cleaner.sheets), cleaner.body_style, dict(cleaner.hosts), tuple(cleaner.links[:MAX_LINKS])
    )


def _filter(element: str, name: str, value: str) -> str | None:
    """The last look at an attribute, whatever was thought of it before."""
    if name == "href":
        return value if value.startswith("#") or read_target(value) is not None else None
    if name in _IMAGES:
        is_shown = bool(_DATA_IMAGE.fullmatch(value)) or (value.startswith("/") and not value.startswith(("//", "/\\")))
        return value if is_shown else None
    if element not in _ELEMENTS or name.startswith("on"):
        return None
    return value


class _Cleaner:
    """Writes one message anew. Its stack is that of the elements that a parser of what it wrote has open."""

    def __init__(self, images: Images) -> None:
        self.sheets: list[str] = []
        self.body_style = ""
        self.hosts: Counter[str] = Counter()
        self.links: list[Link] = []
        self._images = images
        self._style = StyleCleaner(self._map_image)
        self._written: list[str] = []
        self._open: list[str] = []
        self._elements = 0
        self._target: str | None = None  # of the link whose text is being read
        self._text: list[str] = []
        self._lost = ""
        self._lost_depth = 0

    def write(self, html: str) -> str:
        """Return the HTML that nh3 is given. Raises `TooComplex`."""
        for token in walk(html):
            if self._lost and not self._finds_end(token):
                continue
            match token:
                case Text():
                    self._add_text(token.text)
                case StartTag():
                    self._start(token.name, token.attributes)
                case EndTag():
                    self._end(token.name)
                case RawText("style"):
                    self._add_sheet(token.text)
                case RawText("plaintext" | "xmp"):
                    self._add_text(entities.escape(token.text, quote=False))
        self._end_link()
        return "".join(self._written)

    def _finds_end(self, token: object) -> bool:
        """Whether what goes with all that it holds has ended, and this token is to be read."""
        match token:
            case StartTag(name=name) if self._lost in _FOREIGN and name in _BREAKS_OUT:
                self._lost = ""
                return True
            case StartTag(name=name) if name == self._lost:
                self._lost_depth += 1
            case EndTag(name=name) if name == self._lost:
                self._lost_depth -= 1
                if not self._lost_depth:
                    self._lost = ""
        return False

    def _add_text(self, text: str) -> None:
        self._written.append("&lt;" if text == "<" else text.replace(">", "&gt;"))
        if self._target is not None and len(self._text) < _MAX_LINK_TEXT:
            self._text.append(text[:_MAX_LINK_TEXT])

    def _add_sheet(self, text: str) -> None:
        sheet = self._style.clean_sheet(text)
        if sheet:
            self.sheets.append(sheet)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise TooComplex
        if name == "image":  # HTML §13.2.6.4.7: "Don't ask."
            name = "img"
        if name in _LOST:
            self._lost, self._lost_depth = name, 1
        elif name == "body":
            self.body_style = self.body_style or self._read_body(attributes)
        elif name in _ELEMENTS:
            self._prepare(name)
            self._push(name, attributes)

    def _prepare(self, name: str) -> None:
        """Close what a parser closes by itself when this element begins (HTML §13.2.6.4.7 and those that follow)."""
        if name in _ENDS_PARAGRAPH:
            self._close_within_scope("p")
        if name == "li":
            self._close_item(("li",), ("ol", "ul", "dir"))
        elif name in ("dd", "dt"):
            self._close_item(("dd", "dt"), ("dl",))
        elif name in ("a", "nobr"):
            self._end(name)
        elif name in _TABLE_PARTS:
            around = {"td": {"tr"}, "th": {"tr"}, "tr": {"tbody", "thead", "tfoot"}}.get(name, set()) | {"table"}
            while self._open and self._open[-1] not in around:
                self._pop()

    def _push(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _TABLE_PARTS and not self._open:
            return  # no table is open
        if name in _FORMATTING and sum(one in _FORMATTING for one in self._open) >= _MAX_FORMATTING:
            return
        if len(self._open) >= MAX_DEPTH:
            raise TooComplex
        written = "".join(f' {key}="{entities.escape(value)}"' for key, value in self._attributes(name, attributes))
        self._written.append(f"<{name}{written}>")
        if name not in _VOID:
            self._open.append(name)

    def _end(self, name: str) -> None:
        if name in ("br", "p") and (name == "br" or "p" not in self._open):
            self._start(name, {})  # HTML §13.2.6.4.7: </p> and </br> stand for an element
            name = "p" if name == "p" else ""
        if name == "a":
            self._end_link()
        if name in _FORMATTING:
            self._end_formatting(name)
        elif name in _TABLE_PARTS or name == "table":
            for one in reversed(self._open):
                if one == name:
                    self._close_to(name)
                    break
                if one == "table":
                    break
        else:
            self._close_within_scope(name)

    def _end_formatting(self, name: str) -> None:
        """End a formatting element, whatever is open within: parsers know what that means (§13.2.6.4.7, adoption)."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] == name:
                del self._open[at]
                self._written.append(f"</{name}>")
                return
            if self._open[at] in _SCOPES:
                return

    def _close_within_scope(self, name: str) -> None:
        for one in reversed(self._open):
            if one == name:
                self._close_to(name)
                return
            if one in _SCOPES:
                return

    def _close_item(self, names: tuple[str, ...], lists: tuple[str, ...]) -> None:
        for one in reversed(self._open):
            if one in names:
                self._close_to(one)
                return
            if one in lists or one in _SCOPES:
                return

    def _close_to(self, name: str) -> None:
        while self._pop() != name:
            pass

    def _pop(self) -> str:
        name = self._open.pop()
        if name == "a":
            self._end_link()
        self._written.append(f"</{name}>")
        return name

    # -- attributes

    def _attributes(self, element: str, given: Mapping[str, str]) -> list[tuple[str, str]]:
        allowed = _OF_ELEMENT.get(element, frozenset())
        kept = []
        for name, value in given.items():
            if name not in allowed and name not in _EVERYWHERE:
                continue
            clean = self._attribute(name, value)
            if clean:
                kept.append((name, clean))
        if element in ("a", "area"):
            kept = self._link(element, kept, given.get("href"))
        return kept

    def _attribute(self, name: str, value: str) -> str | None:
        if name == "style":
            return self._style.clean_attribute(value)
        if name in _IMAGES:
            return self._map_image(value)
        if name in _COLORS:
            return self._style.clean_color(value)
        if name == "class":
            return " ".join(_own(one) for one in value.split()[:20] if _OWN_NAME.fullmatch(one))
        if name in _OWN_NAMES or name == "usemap":
            hash_mark, bare = ("#", value.removeprefix("#")) if name == "usemap" else ("", value)
            return hash_mark + _own(bare) if _OWN_NAME.fullmatch(bare) else None
        if name == "href":
            return None  # in _link
        if name in ("alt", "title"):
            return " ".join(value[:500].split())
        return value if _PLAIN_VALUE.fullmatch(value) else None

    def _link(self, element: str, kept: list[tuple[str, str]], href: str | None) -> list[tuple[str, str]]:
        """Return the attributes with where the link leads; it opens beside, and its title is its target."""
        self._target = None
        if href is None:
            return kept
        href = _SPACE_IN_URL.sub("", href.strip("".join(map(chr, range(33)))))[:_MAX_URL]
        if href.startswith("#"):
            return [*kept, ("href", "#" + _own(href[1:]))] if _OWN_NAME.fullmatch(href[1:]) else kept
        target = read_target(href)
        if target is None:
            return kept
        if element == "a":
            self._target, self._text = target, []
        others = [(name, value) for name, value in kept if name != "title"]
        return [*others, ("href", target), ("target", "_blank"), ("title", target[:300])]

    def _end_link(self) -> None:
        if self._target is not None and len(self.links) < MAX_LINKS:
            text = " ".join(entities.unescape("".join(self._text))[:_MAX_LINK_TEXT].split())
            link = judge_link(text, self._target)
            if link is not None:
                self.links.append(link)
        self._target = None

    def _read_body(self, attributes: Mapping[str, str]) -> str:
        style = []
        for attribute, name in (("bgcolor", "background-color"), ("text", "color")):
            color = self._style.clean_color(attributes.get(attribute, ""))
            if color:
                style.append(f"{name}:{color}")
        background = self._map_image(attributes["background"]) if "background" in attributes else None
        if background is not None:
            style.append(f"background-image:url({background})")
        return self._style.clean_attribute(";".join([*style, attributes.get("style", "")]))

    def _map_image(self, url: str) -> str | None:
        """Return where an image is shown from, None if nowhere; a remote one is counted."""
        url = _SPACE_IN_URL.sub("", url.strip())
        scheme, colon, rest = url.partition(":")
        scheme = scheme.lower()
        if scheme == "data" and colon:
            return url if len(url) <= _MAX_DATA and _DATA_IMAGE.fullmatch(url) else None
        if scheme == "cid" and colon:
            return self._images.map_cid(entities.unescape(rest))
        host = web_host("https:" + url if url.startswith(("//", "\\\\")) else url)
        if host is None or len(url) > _MAX_URL:
            return None
        if host in self.hosts or len(self.hosts) < _MAX_HOSTS:
            self.hosts[host] += 1
        return self._images.map_remote("https:" + url if url.startswith("//") else url)


def _own(name: str) -> str:
    """Return a name of the sender: never one of ours."""
    return name if name.startswith(PREFIX) or name == SCOPE else PREFIX + name
