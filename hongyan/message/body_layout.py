"""Which parts of a message are its body and which are attached, as a mail program shows them (RFC 8621 §4.1.4).

The tree is that of `parts`, but an attached message is a leaf: what it holds is shown when it is opened. Parts are
told by their numbers as IMAP writes them (RFC 9051 §6.4.5.1), `2.1`; the tree is walked without recursion.
"""

from __future__ import annotations

__all__ = ["BodyLayout", "BodyPart", "lay_out"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hongyan.message.charsets import decode_text, find_codec
from hongyan.message.headers import split_fields
from hongyan.message.parameters import find_parameter
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from hongyan.message.transfer import Encoding, decode_transfer
from hongyan.message.trimming import trim_text


class BodyPart:
    """One part, with the octets of the message that holds it. `number` is empty for a multipart."""

    def __init__(self, part: Part, served: bytes, number: str) -> None:
        self.part = part
        self.number = number
        self.children: list[BodyPart] = []
        self._served = served

    @property
    def is_multipart(self) -> bool:
        return self.part.kind is Kind.MULTIPART

    @cached_property
    def type(self) -> str:
        """The media type in lower case, without parameters."""
        type_, subtype, _ = self.part.content_type
        return f"{type_.decode('latin-1')}/{subtype.decode('latin-1')}".lower()

    @property
    def charset(self) -> str | None:
        """The charset that is named, `us-ascii` where none is for text, None for what is no text."""
        found = self.part.content_type.find(b"charset")
        if found is not None and found.value:
            return found.value.decode("ascii", "replace")
        is_implied = self.part.is_text or b"content-type" not in self.part.fields
        return "us-ascii" if is_implied else None

    @property
    def disposition(self) -> str | None:
        found = self.part.header.disposition
        return None if found is None else found.kind.decode("latin-1").lower()

    @cached_property
    def name(self) -> str | None:
        """The file name for people, from Content-Disposition, else from Content-Type."""
        header = self.part.header
        found = None if header.disposition is None else find_parameter(header.disposition.parameters, b"filename")
        if found is None:
            found = find_parameter(header.content_type.parameters, b"name")
        return None if found is None else found.text.replace("\0", "") or None

    def find_field(self, name: bytes) -> bytes | None:
        """Return the unfolded value of a field of `part_header.PART_FIELDS`, by its name in lower case."""
        values = self.part.fields.get(name)
        return None if values is None else values[-1]

    @property
    def header_fields(self) -> list[tuple[str, bytes]]:
        """The fields with their names, and their values as received."""
        return read_fields(self._served[self.part.header_start : self.part.body_start])

    @cached_property
    def octets(self) -> bytes:
        """The content with its transfer encoding undone; of an unknown one as it came."""
        raw = self._served[self.part.body_start : self.part.body_end]
        if self.part.kind is Kind.MESSAGE and self.part.encoding is Encoding.UNKNOWN:
            return raw
        decoded = decode_transfer(raw, self.part.encoding)
        return raw if decoded is None else decoded

    @property
    def is_text(self) -> bool:
        return self.part.is_text

    def text(self, limit: int = 0) -> tuple[str, bool, bool]:
        """Return the text, whether its charset was a problem, and whether it was cut to `limit` octets of UTF-8."""
        octets = self.octets
        charset = self.part.header.charset
        problem = self.part.encoding is Encoding.UNKNOWN or (bool(charset) and find_codec(charset) is None)
        text = decode_text(octets, charset)
        problem = problem or _has_broken(text, octets, charset)
        text = text.replace("\r\n", "\n")
        if limit:
            text, is_cut = trim_text(text, limit, is_html=self.type == "text/html")
            return text, problem, is_cut
        return text, problem, False


def _has_broken(text: str, octets: bytes, charset: str) -> bool:
    if "\ufffd" in text and b"\xef\xbf\xbd" not in octets:
        return True
    codec = find_codec(charset) if charset else "ascii"
    if codec in ("ascii", "utf_8") and not octets.isascii():
        if codec == "ascii":
            return True
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            return True
    return False


@dataclass(slots=True)
class BodyLayout:
    """The parts of a message by what they are for. A part may be in several lists."""

    root: BodyPart
    text: list[BodyPart] = field(default_factory=list)
    html: list[BodyPart] = field(default_factory=list)
    attachments: list[BodyPart] = field(default_factory=list)

    def leaves(self) -> Iterator[BodyPart]:
        """Yield all parts that are no multipart, in order."""
        pending = [self.root]
        while pending:
            part = pending.pop()
            if part.is_multipart:
                pending.extend(reversed(part.children))
            else:
                yield part

    def find(self, number: str) -> BodyPart | None:
        """Return the leaf of that number."""
        return next((part for part in self.leaves() if part.number == number), None)


def lay_out(parts: Sequence[Part], served: bytes) -> BodyLayout:
    """Return the layout of a message; `parts` are those of `Anatomy(served)`."""
    layout = BodyLayout(_tree(parts[0], served))
    _Divider(layout).run()
    return layout


def read_fields(block: bytes) -> list[tuple[str, bytes]]:
    """Return the fields of a header block: names as written, values as received without the line's end."""
    fields: list[tuple[str, bytes]] = []
    for line in split_fields(block):
        name, colon, value = line.partition(b":")
        name = name.rstrip()
        if colon and name and name[:1] not in b" \t" and b" " not in name:
            fields.append((name.decode("ascii", "replace"), value.removesuffix(b"\n").removesuffix(b"\r")))
    return fields


def _tree(root: Part, served: bytes) -> BodyPart:
    if root.kind is not Kind.MULTIPART:
        return BodyPart(root, served, "1")
    top = BodyPart(root, served, "")
    pending = [(top, "")]
    while pending:
        around, prefix = pending.pop()
        for number, child in enumerate(around.part.children, 1):
            path = f"{prefix}{number}"
            if child.kind is Kind.MULTIPART:
                inner = BodyPart(child, served, "")
                pending.append((inner, f"{path}."))
            else:
                inner = BodyPart(child, served, path)
            around.children.append(inner)
    return top


def _is_media(type_: str) -> bool:
    return type_.startswith(("image/", "audio/", "video/"))


class _Divider:
    """The suggested algorithm of RFC 8621 §4.1.4. A list of None in a frame takes no more parts."""

    def __init__(self, layout: BodyLayout) -> None:
        self._layout = layout

    def run(self) -> None:
        self._divide([self._layout.root], "mixed", False, self._layout.text, self._layout.html)

    def _divide(
        self,
        parts: Sequence[BodyPart],
        around: str,
        in_alternative: bool,
        text: list[BodyPart] | None,
        html: list[BodyPart] | None,
    ) -> None:
        # The depth is that of the tree, which `parts.MAX_DEPTH` bounds.
        text_length = -1 if text is None else len(text)
        html_length = -1 if html is None else len(html)
        for position, part in enumerate(parts):
            if part.is_multipart:
                inner = part.type.partition("/")[2]
                self._divide(part.children, inner, in_alternative or inner == "alternative", text, html)
            elif not self._is_shown(part, position, around):
                self._layout.attachments.append(part)
            elif around == "alternative":
                target = {"text/plain": text, "text/html": html}.get(part.type, self._layout.attachments)
                (self._layout.attachments if target is None else target).append(part)
            else:
                if in_alternative and part.type == "text/plain":
                    html = None
                if in_alternative and part.type == "text/html":
                    text = None
                self._show(part, text, html)
        if around == "alternative" and text is not None and html is not None:
            if len(text) == text_length and len(html) != html_length:
                text += html[html_length:]
            elif len(html) == html_length and len(text) != text_length:
                html += text[text_length:]

    def _show(self, part: BodyPart, text: list[BodyPart] | None, html: list[BodyPart] | None) -> None:
        for shown in (text, html):
            if shown is not None:
                shown.append(part)
        if (text is None or html is None) and _is_media(part.type):
            self._layout.attachments.append(part)

    def _is_shown(self, part: BodyPart, position: int, around: str) -> bool:
        if part.disposition == "attachment":
            return False
        is_media = _is_media(part.type)
        if part.type not in ("text/plain", "text/html") and not is_media:
            return False
        return position == 0 or (around != "related" and (is_media or not part.name))
