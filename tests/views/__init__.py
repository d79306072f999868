"""Clients that believe what they are told, and nothing else: is what they know of a mailbox always right?

`client` is such a client, strict in what may be told when; `model` is the truth. `test_machine` has some of them meet
in one process, command by command and in the middle of commands; `sockets` two dozen over real connections.
"""
