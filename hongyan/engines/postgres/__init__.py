"""The clustered engine: PostgreSQL, or a database that speaks its protocol."""
