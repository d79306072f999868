"""Port 25: mail that other servers bring for our accounts."""
