"""Clients that cost little: octets out, answers kept as they came, to be read when the clock has stopped."""

from __future__ import annotations

__all__ = ["Answer", "Endpoint", "ImapClient", "Pop3Client", "SmtpClient", "Stream", "Unexpected"]

from bench.clients.imap import Answer, ImapClient
from bench.clients.pop3 import Pop3Client
from bench.clients.smtp import SmtpClient
from bench.clients.stream import Endpoint, Stream, Unexpected
