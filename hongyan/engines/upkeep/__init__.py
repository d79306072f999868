"""Upkeep of what engines hold, whichever they are: verified, mended, swept, moved from one to the other."""
