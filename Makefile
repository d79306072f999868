# Each target is one line: the work is done by the programs that it names. `make` alone explains.
.DEFAULT_GOAL := explain
.PHONY: explain run test check lint bench torture mutants interop jmap-suites fuzz docs lock

explain: ; @sed -n 's/^#: //p' Makefile

#: make run      a complete mail service on loopback, with accounts and their passwords printed
run: ; @scripts/bootstrap runtime && .venv/bin/python scripts/webclient.py && exec .venv/bin/hongyan serve --development

#: make test     every test; programs that others wrote are fetched into .cache first
test: ; @scripts/bootstrap dev && .venv/bin/python scripts/webclient.py --required && exec .venv/bin/python -m pytest -n $(TESTERS) --dist worksteal -m "not minutes" $(ARGS)

#: make check    lint and the fast tests: before each commit, no root needed
check: lint ; @exec .venv/bin/python -m pytest -n $(TESTERS) --dist worksteal -m "$(FAST)" $(ARGS)

#: make lint     style, types, the rings, size budgets
lint: ; @scripts/bootstrap dev && exec .venv/bin/python scripts/lint.py

#: make bench    beside Dovecot and Postfix, in alternating rounds of one run
bench: ; @scripts/bootstrap dev && exec .venv/bin/python -m bench $(ARGS)

#: make torture  SIGKILL, power loss, full disk: what was acknowledged must still be there
torture: ; @scripts/bootstrap dev && exec .venv/bin/python -m tests.torture $(ARGS)

#: make mutants  defences are switched off in turn, and a test has to see it
mutants: ; @scripts/bootstrap dev && exec .venv/bin/python -m tests.mutants $(ARGS)

#: make interop  programs of others do their whole job, those that take minutes as well
interop: ; @scripts/bootstrap dev && exec .venv/bin/python -m pytest -n $(TESTERS) --dist worksteal -m interop $(ARGS)

#: make jmap-suites DIR=…  the suites of jmapio and fastmail, from checkouts; tests/suites/jmap.py says which
jmap-suites: ; @scripts/bootstrap dev && exec .venv/bin/python -m tests.suites.jmap $(DIR)

#: make fuzz     a minute of hostile octets for each parser
fuzz: ; @scripts/bootstrap dev && exec .venv/bin/python -m tests.fuzz --seconds 60 $(ARGS)

#: make docs     the pages of docs/ that are made from the code
docs: ; @scripts/bootstrap dev && exec .venv/bin/python scripts/docs.py

#: make lock     resolve the dependencies of pyproject.toml anew (needs a package index)
lock: ; @scripts/bootstrap dev && exec .venv/bin/python scripts/lock.py

FAST = not slow and not interop and not root and not torture and not postgres and not minutes

# Three testers for two cores: the tests that wait for a program leave room for another.
TESTERS ?= 3
