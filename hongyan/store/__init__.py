"""Ports: what is stored, in the words of mail. Protocols and records; no SQL, no engine."""
