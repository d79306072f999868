"""Ports of storage, in the words of mail: Protocols and records. No SQL, no files, no sockets."""
