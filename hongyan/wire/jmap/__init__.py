"""JMAP on the wire (RFC 8620): requests, references, the arguments of the standard methods. Octets in, values out."""
