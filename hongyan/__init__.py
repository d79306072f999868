"""Hongyan: a complete mail service."""

__version__ = "0.1.0"
