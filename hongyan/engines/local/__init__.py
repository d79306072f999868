"""One machine: a data directory with SQLite and segment files, opened, closed, backed up and restored."""
