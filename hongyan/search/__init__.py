"""The text index: what of a message is indexed, and how a needle is looked for in it."""
