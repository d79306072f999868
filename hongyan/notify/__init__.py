"""From a hint to those who wait."""
