"""Mail that our users send (RFC 6409): checked, completed, signed, queued."""
