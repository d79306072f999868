"""The handlers of IMAP commands. Each answers at once, or returns a coroutine when it has to wait."""
