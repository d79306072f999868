"""Suites of other projects that are run against a whole service. They lie outside of the repository."""
