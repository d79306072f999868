"""What the server thinks of a message that comes in: findings of single checks, and the verdict they make together."""
