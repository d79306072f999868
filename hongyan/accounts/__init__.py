"""Accounts and their addresses: who is there, whose an address is, what each may store."""
