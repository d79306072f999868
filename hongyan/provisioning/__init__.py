"""An account from nothing to usable, and back to nothing."""
