"""Messages as RFC 5322 and MIME describe them: octets in, values and octets out, no I/O.

Whatever a stranger sent can be read here: no function raises on any octets, each works in time
linear in their number, and the caps that keep it so stand beside the loops they bound. Over a cap
the octets are kept and shown without structure.
"""
