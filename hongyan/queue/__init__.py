"""The outgoing mail queue: what waits, when it is tried, which way it goes, and how it went."""
