"""Everything that listens.

`listener` opens the door: PROXY protocol, bans, limits, TLS. `connection` then drives one TCP stream: octets into
a protocol's session, its replies out. Each protocol is a module of its own beside them.
"""
