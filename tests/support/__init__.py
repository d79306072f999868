"""What tests stand on: programs, databases, clocks and the harness that runs a server."""
