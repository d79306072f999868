"""SMTP on the wire (RFC 5321 and extensions): commands, replies, the message's octets, and both ends of a session."""
