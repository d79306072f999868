r"""What stands between braces in a script: names, repetitions, base64.

    {uidvalidity}       in an S line, what stands there is remembered by this name, or has to be what was;
                        in a C line it is said again
    {...}               in an S line: anything, to the end of the line at most
    {hello}             a message of that name, its octets; {hello.size} their number
    {"x" * 500}         the same text many times (C lines)
    {base64 \0anna\0x}  base64 of what follows, in which \0, \r, \n, \t, \xNN and \\ mean one octet (C lines)
    {sp}, {tab}         a space, where an editor would take it away; a tab

Braces around digits are IMAP's literals and stay what they are.
"""

from __future__ import annotations

__all__ = ["Vocabulary", "unescape"]

import re
from base64 import b64encode

from tests.dialogues.script import ScriptFault

_NAME = r"[a-z][a-z0-9_-]*(?:\.size)?"
_IN_SPEECH = re.compile(
    rf'\{{(?:(?P<name>{_NAME})|"(?P<text>[^"]*)" \* (?P<times>[0-9]+)|base64 (?P<base64>[^}}]*))\}}'
)
_IN_ANSWER = re.compile(rf"\{{(?:(?P<name>{_NAME})|(?P<any>\.\.\.))\}}")
_REMEMBERED = rb'[^\s()\[\]<>"]+?'
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0rnt\\])")
_ESCAPES = {"0": "\0", "r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


def unescape(text: str) -> bytes:
    """Return the octets of a text with escapes; what is not ASCII is UTF-8."""
    octets, at = b"", 0
    for match in _ESCAPE.finditer(text):
        octets += text[at : match.start()].encode()
        word = match[1]
        octets += bytes([int(word[1:], 16)]) if word[0] == "x" else _ESCAPES[word].encode()
        at = match.end()
    return octets + text[at:].encode()


class Vocabulary:
    """What names mean: messages that a script defines, and what answers have told."""

    def __init__(self, **names: str) -> None:
        self._names: dict[str, bytes] = {name: value.encode() for name, value in names.items()}
        self._names |= {"sp": b" ", "tab": b"\t"}

    def define(self, name: str, octets: bytes) -> None:
        """Give a message a name."""
        self._names[name] = octets
        self._names[f"{name}.size"] = b"%d" % len(octets)

    def get(self, name: str) -> bytes:
        """Return what a name means."""
        if name not in self._names:
            raise ScriptFault(f"nothing is called {{{name}}}")
        return self._names[name]

    def speak(self, text: str, *, raw: bool = False) -> bytes:
        """Return the octets that a client sends."""
        octets, at = b"", 0
        encode = unescape if raw else str.encode
        for match in _IN_SPEECH.finditer(text):
            octets += encode(text[at : match.start()])
            if match["name"]:
                octets += self.get(match["name"])
            elif match["times"]:
                octets += encode(match["text"]) * int(match["times"])
            else:
                octets += b64encode(unescape(match["base64"]))
            at = match.end()
        return octets + encode(text[at:])

    def pattern(self, text: str) -> tuple[re.Pattern[bytes], int]:
        """Return what an answer has to match, and how many lines it has."""
        pattern, at, lines = b"", 0, 1
        fresh: set[str] = set()
        for match in _IN_ANSWER.finditer(text):
            pattern += re.escape(text[at : match.start()].encode())
            name = match["name"]
            if name is None:
                pattern += b"[^\r\n]*?"
            elif name in self._names:
                pattern += re.escape(self._names[name])
                lines += self._names[name].count(b"\r\n")
            elif name in fresh:
                pattern += b"(?P=%b)" % _group(name)
            else:
                fresh.add(name)
                pattern += b"(?P<%b>%b)" % (_group(name), _REMEMBERED)
            at = match.end()
        return re.compile(pattern + re.escape(text[at:].encode())), lines

    def remember(self, match: re.Match[bytes]) -> None:
        """Keep what an answer has told."""
        for group, value in match.groupdict().items():
            self._names[group.replace("__", "-")] = value


def _group(name: str) -> bytes:
    return name.replace("-", "__").encode()
