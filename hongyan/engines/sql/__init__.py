"""What the SQL engines share: units of work, schema and repositories, written once."""
