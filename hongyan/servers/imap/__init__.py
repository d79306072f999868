"""IMAP connections: sessions, and a handler for each command (RFC 9051, RFC 3501)."""
