"""Who are you, and may you? One door for every protocol."""
