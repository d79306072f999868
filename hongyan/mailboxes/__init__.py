"""An account's mail: mailboxes in memory, and everything that changes them."""
