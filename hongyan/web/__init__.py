"""The HTTP face: health, metrics, well-known resources, and the web client as files."""
