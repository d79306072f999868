"""What happened, for the account's owner and the admin."""
