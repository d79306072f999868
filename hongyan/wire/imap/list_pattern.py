"""Which names a pattern of LIST means (RFC 9051 §6.3.9, RFC 3501 §6.3.8).

`*` stands for any characters, `%` for any but the hierarchy delimiter. All ways to read a pattern are
followed at once, one bit each: a name is matched in time linear in its length, whatever the pattern.
"""

from __future__ import annotations

__all__ = ["ListPattern"]

import re

from hongyan.wire.imap.mailbox_name import DELIMITER, INBOX

# Between two wildcards that touch nothing stands: `*` swallows all of them, and `%%` is `%`.
_WILDCARDS = re.compile(r"[*%]{2,}")
_WILDCARD = re.compile(r"[*%]")
_BELOW_INBOX = INBOX + DELIMITER


class ListPattern:
    """A pattern, joined with its reference."""

    __slots__ = ("_any", "_folded", "_last", "_level", "_literal", "_prefix", "text")

    def __init__(self, reference: str, pattern: str) -> None:
        self.text = _WILDCARDS.sub(lambda run: "*" if "*" in run[0] else "%", reference + pattern)
        self._literal: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        self._any = self._level = 0
        for index, character in enumerate(self.text):
            bit = 1 << index
            if character == "*":
                self._any |= bit
            elif character == "%":
                self._level |= bit
            else:
                self._literal[character] = self._literal.get(character, 0) | bit
                upper = character.upper() if character.isascii() else character
                self._folded[upper] = self._folded.get(upper, 0) | bit
        self._last = 1 << len(self.text)
        self._prefix = _WILDCARD.split(self.text, maxsplit=1)[0]

    def may_match_below(self, root: str) -> bool:
        """Whether the pattern can mean `root` or a name below it, as far as the letters before its wildcards tell."""
        prefix = self._prefix
        return root.startswith(prefix) or prefix.startswith(root + DELIMITER) or prefix == root

    def matches(self, name: str) -> bool:
        """Whether the pattern means this mailbox. The letters of INBOX have no case (RFC 9051 §5.1)."""
        if self.text == "*":
            return True
        folded = len(INBOX) if name == INBOX or name.startswith(_BELOW_INBOX) else 0
        if not folded and not name.startswith(self._prefix):
            return False
        wildcards = self._any | self._level
        places = 1 | ((1 & wildcards) << 1)
        for index, character in enumerate(name):
            literal = self._folded if index < folded else self._literal
            places = (
                ((places & literal.get(character, 0)) << 1)
                | (places & self._any)
                | (places & self._level if character != DELIMITER else 0)
            )
            if not places:
                return False
            places |= (places & wildcards) << 1
        return bool(places & self._last)
