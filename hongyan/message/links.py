"""Where links lead, and whether that is where they seem to lead.

A link is suspicious if its text shows one host and it leads to another, if the host is an address or hides behind what
looks like a host (`https://bank.example@elsewhere.example`), or if its name mixes scripts or imitates Latin letters
(after Unicode TS 39 §5.1, "highly restrictive", and a handful of confusables).
"""

from __future__ import annotations

__all__ = ["Link", "Suspicion", "find_links", "judge_link", "read_target", "show_host", "web_host"]

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote

import idna

_MAX_HOST = 255
_TARGET = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)
_WEB = re.compile(r"https?:[/\\]{1,4}", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]")
# Text that shows a host: with or without scheme, at least one dot, a last label of letters.
_SHOWN = re.compile(
    r"(?:https?://)?(?:[^\s/@]{1,64}@)?((?:[\w-]{1,63}\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}))(?![\w-])",
    re.IGNORECASE,
)
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "mil", "net", "ne", "or", "org"})
_FILES = frozenset(
    {"doc", "docx", "gif", "htm", "html", "jpg", "js", "md", "pdf", "png", "ppt", "py", "txt", "xls", "xlsx"}
)
_FOUND = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'\u3000-\u303f\uff00-\uffef]{2,2000}|mailto:[^\s<>\"']{3,300}", re.IGNORECASE
)
_TRAILING = ".,;:!?'\""
# Small letters of other scripts that look like Latin ones.
_CONFUSABLE = frozenset("асеіјорѕхуһԁԛԝьѵӏкмтнвгαικνορτυχωнԍ")
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)


class Suspicion(StrEnum):
    """Why a link is not what it seems."""

    OTHER_HOST = "other-host"
    """The text shows another host."""
    MIXED_SCRIPTS = "mixed-scripts"
    LOOK_ALIKE = "look-alike"
    """The name is made of letters that look like Latin ones."""
    ADDRESS = "address"
    """The host is a bare address."""
    USER_INFO = "user-info"
    """What stands before the host looks like one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A suspicious link: what it shows, where it leads, the host as it is in the DNS, and why."""

    text: str
    target: str
    host: str
    suspicions: tuple[Suspicion, ...]


def read_target(href: str) -> str | None:
    """Return where a link may lead, with what browsers pass over taken out; None if it may lead nowhere."""
    match = _TARGET.match(href)
    if match is None:
        return None
    href = _CONTROLS.sub(lambda one: f"%{ord(one[0]):02X}" if ord(one[0]) < 0x80 else "", href)
    if match[1].lower().startswith("http"):
        return href if web_host(href) is not None else None
    return href


def web_host(url: str) -> str | None:
    """Return the host of an http or https URL as it is in the DNS, None if the URL is none."""
    scheme = _WEB.match(url)
    if scheme is None:
        return None
    # Browsers read a backslash as a slash (URL Living Standard §4.4).
    authority = re.split(r"[/\\?#]", url[scheme.end() :], maxsplit=1)[0]
    host = unquote(authority.rpartition("@")[2])
    if not host.startswith("["):
        host = host.partition(":")[0]
    host = host.rstrip(".").lower()
    if not host or len(host) > _MAX_HOST or not host.isprintable() or any(mark in host for mark in " <>\"'%^`{|}\\/"):
        return None
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


def show_host(host: str) -> str:
    """Return a host for people: in Unicode only if that misleads nobody."""
    shown = ".".join(map(_decode_label, host.split(".")))
    return host if _judge_host(host) else shown


def judge_link(text: str, target: str) -> Link | None:
    """Return what is suspicious about a link, None if nothing is."""
    host = web_host(target)
    if host is None:
        return None
    suspicions = _judge_host(host)
    authority = re.split(r"[/\\?#]", _WEB.sub("", target, count=1), maxsplit=1)[0]
    if "." in unquote(authority.rpartition("@")[0]):
        suspicions.append(Suspicion.USER_INFO)
    shown = _SHOWN.match(text.strip("\u200b\u200e\u200f <([{「《")) if text else None
    if shown is not None and not _is_file(shown[0]) and not _is_same_owner(_in_ascii(shown[1]), host):
        suspicions.append(Suspicion.OTHER_HOST)
    return Link(text[:200], target[:1000], host, tuple(dict.fromkeys(suspicions))) if suspicions else None


def find_links(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where links stand in plain text: start, end, target."""
    for match in _FOUND.finditer(text):
        shown = _without_trailer(match[0])
        target = read_target("https://" + shown if shown[:4].lower() == "www." else shown)
        if target is not None:
            yield match.start(), match.start() + len(shown), target


def _without_trailer(shown: str) -> str:
    """Return a URL without what belongs to the sentence: stops, and brackets that it did not open."""
    unopened = {close: shown.count(close) - shown.count(opening) for opening, close in ("()", "[]", "{}")}
    end = len(shown)
    while end and (shown[end - 1] in _TRAILING or unopened.get(shown[end - 1], 0) > 0):
        if shown[end - 1] in unopened:
            unopened[shown[end - 1]] -= 1
        end -= 1
    return shown[:end]


def _is_file(shown: str) -> bool:
    """Whether it is rather the name of a file."""
    return "/" not in shown and shown.rpartition(".")[2].lower() in _FILES


def _is_same_owner(one: str, other: str) -> bool:
    return _owner(one) == _owner(other)


def _owner(host: str) -> str:
    """Return about the domain that somebody registered: two labels, or three below such as com.cn."""
    labels = host.split(".")
    below = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if below else labels[-2:])


def _in_ascii(host: str) -> str:
    host = host.lower()
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return host


def _judge_host(host: str) -> list[Suspicion]:
    if _is_address(host):
        return [Suspicion.ADDRESS]
    found = []
    for label in host.split("."):
        if not label.startswith("xn--"):
            continue
        name = _decode_label(label)
        scripts = {_script(character) for character in name} - {""}
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            found.append(Suspicion.MIXED_SCRIPTS)
        if name == label or all(one in _CONFUSABLE for one in name if one.isalpha()):
            found.append(Suspicion.LOOK_ALIKE)
    return found


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        # Browsers read one number, and hexadecimal ones, as addresses too (URL Living Standard §3.5).
        return re.fullmatch(r"0x[0-9a-f]*|[0-9]+", host.rpartition(".")[2]) is not None
    return True


def _decode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _script(character: str) -> str:
    """Return the script of a letter, "" of what all scripts share."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "").split(" ")[0]
    return "HAN" if name in ("CJK", "IDEOGRAPHIC") else name
