"""Protocol cores: octets in, events out; octets to send. Nothing here has a socket, a clock or a task."""
