"""Everything that connects to somebody else."""
