"""Mail to Debian's Postfix under STARTTLS, held to a TLSA record or to a policy; none to somebody else's Postfix."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from hongyan.queue.outcome import Outcome, Result
from hongyan.queue.route import Hop, RemoteRoute
from hongyan.queue.security import Demand
from tests.clients.test_smtp import delivery
from tests.clients.test_smtp_security import (
    ANY,
    DOMAIN,
    GOOD,
    HERE,
    HOST,
    KNOWS_KEY,
    KNOWS_ROOT,
    STS,
    Results,
    transport,
)
from tests.support.authority import Authority
from tests.support.postfix import Postfix, start_postfix

# The loop ends with the test, and connections that still say goodbye end with it.
_CUT = "ignore::pytest.PytestUnraisableExceptionWarning"
pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings(_CUT)]

FORGED = Authority("Foxes").issue(HOST)


@pytest.fixture(scope="module", params=["right", "forged"])
def postfix(request: pytest.FixtureRequest) -> Iterator[tuple[Postfix, bool]]:
    is_right = request.param == "right"
    chain = (GOOD if is_right else FORGED).write()
    extra = [f"smtpd_tls_chain_files = {chain}", "smtpd_tls_security_level = may"]
    with start_postfix(domains=[DOMAIN], hostname=HOST, extra=extra) as running:
        yield running, is_right


@pytest.mark.parametrize("demand", [KNOWS_KEY, KNOWS_ROOT, STS])
def test_postfix_gets_mail_if_it_is_who_it_should_be(postfix: tuple[Postfix, bool], demand: Demand) -> None:
    running, is_right = postfix
    before = len(running.messages())
    assert ANY.policy is not demand.policy

    async def send() -> Outcome:
        sender = transport(Results())
        hop = Hop(HOST, (HERE,), running.port, demand, is_vouched=True)
        outcomes = await sender.deliver(delivery(f"bob@{DOMAIN}"), RemoteRoute(DOMAIN, (hop,)))
        await sender.close()
        return outcomes[0]

    outcome = asyncio.run(send())
    gc.collect()  # What was cut is found here, and not in the test that comes next.
    if is_right:
        assert (outcome.result, outcome.is_encrypted) == (Result.DELIVERED, True)
        assert b"Subject: geese" in running.wait_for_messages(before + 1)[-1]
    else:
        assert (outcome.result, outcome.text.startswith(demand.cause.line)) == (Result.DEFERRED, True)
        assert len(running.messages()) == before
