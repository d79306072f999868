"""Mail in and out, in the formats that other programs know."""
