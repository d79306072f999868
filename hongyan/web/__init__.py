"""The HTTP face: health, metrics and well-known resources. It serves no page."""
