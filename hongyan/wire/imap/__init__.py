"""IMAP as it stands on the wire: commands from octets, responses to octets (RFC 9051, RFC 3501 and extensions)."""
