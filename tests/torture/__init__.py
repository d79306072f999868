"""The durability harness: what was acknowledged must still be there, whatever happens to the process or the power.

Clients from outside keep a journal of what they asked for and what was answered; the server is killed, or its disk
loses all that was not synced, or stops taking anything; then the journal is held against what the server has.
`python -m tests.torture --help` names the scenarios, docs/durability.md says what is promised.
"""
