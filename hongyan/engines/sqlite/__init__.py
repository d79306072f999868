"""The embedded engine: one writer thread with grouped commits, readers in threads."""
