"""The open API: everything that is not mail, one module for each resource (OpenAPI 3.1)."""
