"""What an operator does to a service: the same through a running server's control socket and without one."""
