"""Into our own mailboxes: from an envelope and octets to messages of accounts."""
