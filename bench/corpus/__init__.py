"""Made mail: the same octets for the same seed, so that the benchmark knows what a right server answers."""

from __future__ import annotations

__all__ = ["BigMailbox", "Corpus", "Facts", "SignedMail", "Template", "make_senders"]

from bench.corpus.mailbox import BigMailbox, Corpus, Facts
from bench.corpus.signed import SignedMail, make_senders
from bench.corpus.templates import Template
