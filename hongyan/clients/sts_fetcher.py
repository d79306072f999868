"""Fetches MTA-STS policies by HTTPS from the host that a domain names for it (RFC 8461 §3.3)."""

from __future__ import annotations

__all__ = ["StsFetcher"]

from typing import Final

from hongyan.clients.https import HttpsClient, HttpsFault, HttpsTrouble
from hongyan.mailauth.mta_sts import MAX_POLICY, policy_host
from hongyan.queue.sts_policies import FetchFault
from hongyan.queue.tls_results import ResultType

_PATH: Final = "/.well-known/mta-sts.txt"
_DEADLINE: Final = 60.0
"""Seconds for all of it (§3.3)."""

_FAILURES: Final = {
    HttpsTrouble.CONNECTION: ResultType.STS_POLICY_FETCH_ERROR,
    HttpsTrouble.CERTIFICATE: ResultType.STS_WEBPKI_INVALID,
    HttpsTrouble.ANSWER: ResultType.STS_POLICY_FETCH_ERROR,
}


class StsFetcher:
    """`queue.sts_policies.PolicyFetcher`."""

    def __init__(self, client: HttpsClient) -> None:
        self._client = client

    async def fetch(self, domain: str) -> bytes:
        try:
            resource = await self._client.get(policy_host(domain), _PATH, limit=MAX_POLICY, deadline=_DEADLINE)
        except HttpsFault as fault:
            raise FetchFault(_FAILURES[fault.trouble], fault.cause) from fault
        if resource.media_type != "text/plain":
            raise FetchFault(ResultType.STS_POLICY_INVALID, "the policy is not text/plain")
        return resource.octets
