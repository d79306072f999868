"""The base subject: what is left of a subject without `Re:`, `Fwd:` and the tags of lists (RFC 5256 §2.1).

The grammar is the RFC's to the letter. The text is walked from both ends and never copied on the way, so that the
work is in proportion to the length, whatever a stranger writes.
"""

from __future__ import annotations

__all__ = ["BaseSubject", "find_base_subject"]

import re
from typing import NamedTuple

_SPACES = re.compile(r"[ \t\r\n]+")
# subj-blob  = "[" *BLOBCHAR "]" *WSP
_BLOBS = re.compile(r"(?:\[[^\[\]]*+\] *+)*")
# subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_REFWD = re.compile(r"(?:re|fwd?+) *+(?:\[[^\[\]]*+\] *+)?:", re.IGNORECASE | re.ASCII)
_TRAILER = "(fwd)"
_FORWARD_HEAD = "[fwd:"


class BaseSubject(NamedTuple):
    """The base of a subject, and whether what was taken off says that the message is a reply or was forwarded."""

    text: str
    is_reply: bool


def find_base_subject(subject: str) -> BaseSubject:
    """Return the base of a decoded subject."""
    text = _SPACES.sub(" ", subject)  # step 1
    start, end = 0, len(text)
    is_reply = False
    while True:
        end, trimmed = _trim(text, start, end)  # step 2
        start, led = _skip(text, start, end)  # steps 3 to 5
        is_reply = is_reply or trimmed or led
        # Step 6: subj-fwd = subj-fwd-hdr subject subj-fwd-trl
        head = start + len(_FORWARD_HEAD)
        if not (head < end and text[end - 1] == "]" and text[start:head].lower() == _FORWARD_HEAD):
            return BaseSubject(text[start:end], is_reply)
        start, end, is_reply = head, end - 1, True


def _trim(text: str, start: int, end: int) -> tuple[int, bool]:
    """Return where the text ends without its trailers, and whether one of them was `(fwd)`."""
    # subj-trailer = "(fwd)" / WSP
    forwarded = False
    while end > start:
        if text[end - 1] == " ":
            end -= 1
        elif text[max(end - len(_TRAILER), start) : end].lower() == _TRAILER:
            end -= len(_TRAILER)
            forwarded = True
        else:
            break
    return end, forwarded


def _skip(text: str, start: int, end: int) -> tuple[int, bool]:
    """Return where the text begins without its leaders and blobs, and whether one of them was a `Re:` or `Fwd:`."""
    # subj-leader = (*subj-blob subj-refwd) / WSP
    led = False
    while start < end:
        if text[start] == " ":
            start += 1
            continue
        blobs = _BLOBS.match(text, start, end)
        after = blobs.end() if blobs is not None else start
        leader = _REFWD.match(text, after, end)
        if leader is not None:
            start, led = leader.end(), True
        elif after < end:
            return after, led
        else:
            # Blobs and nothing else: the last is the base.
            return max(text.rfind("[", start, end), start), led
    return start, led
