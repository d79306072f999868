"""The domains we serve: their names, keys, certificates and DNS records."""
