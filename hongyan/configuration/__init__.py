"""The configuration file: read, checked, described."""
