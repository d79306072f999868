"""Whether HTML can do harm, judged by a parser that the service does not use (html5lib)."""

from __future__ import annotations

__all__ = ["depth_of", "find_harm"]

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import html5lib  # type: ignore[import-untyped]  # it has no types

_HTML = "{http://www.w3.org/1999/xhtml}"
_HARMFUL = frozenset(
    {
        "applet",
        "audio",
        "base",
        "button",
        "embed",
        "form",
        "frame",
        "frameset",
        "iframe",
        "input",
        "link",
        "math",
        "meta",
    }
    | {
        "noscript",
        "object",
        "plaintext",
        "portal",
        "script",
        "select",
        "source",
        "svg",
        "template",
        "textarea",
        "title",
    }
    | {"video", "xmp"}
)
_URLS = frozenset({"action", "background", "cite", "data", "formaction", "href", "longdesc", "ping", "poster", "src"})
_LEADS = re.compile(r"(?:https?|mailto|tel):|#", re.IGNORECASE)
_SHOWS = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif|bmp);base64,[A-Za-z0-9+/=]*|/[^/\\]", re.IGNORECASE)
_STYLE = re.compile(
    r"expression|behaviou?r|binding|@import|@font-face|javascript:|var\(|position:|\\|<|/\*|image-set|url\((?!\"(?:data:image/|/[^/]))",
    re.IGNORECASE,
)


def find_harm(html: str) -> str | None:
    """Return what could do harm in a fragment, None if nothing can."""
    tree = html5lib.parseFragment(html, treebuilder="etree")
    for element in tree.iter():
        if not isinstance(element.tag, str):
            return "a comment"
        name = element.tag.removeprefix(_HTML)
        if name == "DOCUMENT_FRAGMENT":
            continue
        if not element.tag.startswith(_HTML):
            return f"<{element.tag}> of another language"
        if name in _HARMFUL or (name == "style" and _STYLE.search(element.text or "")):
            return f"<{name}> {element.text or ''}"
        for harm in _harms(element):
            return f"<{name} {harm}>"
    return None


def depth_of(html: str) -> int:
    """Return how deep elements are nested."""

    deepest = 0
    waiting = [(html5lib.parseFragment(html, treebuilder="etree"), 0)]
    while waiting:
        element, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in element]
    return deepest


def _harms(element: ET.Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name.startswith("on") or name in ("srcdoc", "srcset", "http-equiv", "is", "slot"):
            yield name
        if name == "style" and _STYLE.search(value):
            yield f"style={value}"
        allowed = _LEADS if name == "href" else _SHOWS
        if name in _URLS and not allowed.match(value):
            yield f"{name}={value}"
        if name in ("id", "name") and not value.startswith("m-"):
            yield f"{name}={value}"
    if element.get("href") and "noopener" not in (element.get("rel") or "") and element.tag == f"{_HTML}a":
        yield "opener"
