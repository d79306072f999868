"""What a client can get wrong in a command, and the answer that it gets."""

from __future__ import annotations

__all__ = ["CommandFault"]

from hongyan.errors import PeerFault


class CommandFault(PeerFault):
    """A command that cannot be carried out as it was written.

    `tag` is None when it could not be read: the answer is then untagged (RFC 9051 §7.1.3).
    `status` is `BAD` but where an RFC asks for `NO`; `code` is what stands within the brackets.
    """

    def __init__(self, sentence: str, *, tag: bytes | None = None, status: bytes = b"BAD", code: bytes = b"") -> None:
        super().__init__(sentence)
        self.tag = tag
        self.status = status
        self.code = code
