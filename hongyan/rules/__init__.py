"""What an account wants done with its mail: decisions over facts, without I/O."""
