"""How often, how many, how long refused."""
