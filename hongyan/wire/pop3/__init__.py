"""POP3 on the wire (RFC 1939 and extensions): the server's end of a session."""
