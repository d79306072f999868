"""What pushes changes to clients of JMAP."""

from __future__ import annotations

__all__ = ["Pushing", "make_pushing"]

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from hongyan.assembly.directory import Entrance
from hongyan.assembly.ground import Ground
from hongyan.assembly.strangers_https import make_https_client
from hongyan.auth.server_key import derive_key, load_server_key
from hongyan.auth.standing import LoginStanding
from hongyan.clients.https import HttpsClient, HttpsFault
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.placements import SqlPlacements
from hongyan.engines.sql.push_subscriptions import SqlPushSubscriptions
from hongyan.mailauth.resolver import Resolver
from hongyan.notify.feeds import Feeds
from hongyan.notify.hub import Hub
from hongyan.web.jmap.push_delivery import PushAnswer, PushDelivery
from hongyan.web.jmap.push_subscription import PushServices
from hongyan.web.jmap.pushed import PushedStates
from hongyan.web.jmap.streams import Streams
from hongyan.web.jmap.vapid import VapidKeys
from hongyan.web.jmap.web_push import WebPush

_SERVER_KEY = "server.key"
_TICK = 1.0  # seconds
_TAKEN = 201


@dataclass(frozen=True, slots=True)
class Pushing:
    """The feeds, and who follows them: over a connection, or at a URL."""

    feeds: Feeds
    streams: Streams
    web_push: WebPush
    vapid: VapidKeys
    subscriptions: PushServices

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        yield "feeds", self.feeds.run
        if self.subscriptions.options.enabled and self.subscriptions.options.push_subscriptions:
            yield "web-push", self.web_push.run


def make_pushing(ground: Ground, hub: Hub, entrance: Entrance, resolver: Resolver) -> Pushing:
    """Make it."""
    options, clock = ground.config.jmap, ground.clock
    states = PushedStates(SqlPlacements(ground.database))
    feeds = Feeds(hub, states.read, clock, options.push_pause)
    streams = Streams(feeds, entrance.revocations, ground.wheel, clock, options)
    store = SqlPushSubscriptions(ground.database)
    key = load_server_key(ground.data / _SERVER_KEY, ground.random)
    vapid = VapidKeys(partial(derive_key, key), options.push_key)
    delivery = PushDelivery(
        _Carrier(make_https_client(ground, resolver)), vapid, _contact(ground), clock, ground.random
    )
    standing = LoginStanding(entrance.web_sessions, SqlCredentials(ground.database), ground.config.services)
    web_push = WebPush(store, feeds, delivery, standing.holds, clock, ground.random, options.push_apart)
    ground.wheel.every(_TICK, feeds.tick)
    ground.wheel.every(_TICK, web_push.tick)
    services = PushServices(
        store=store,
        sender=web_push,
        read_states=states.read,
        counters=ground.engines.counters,
        clock=clock,
        random=ground.random,
        options=options,
        key_number=vapid.number,
    )
    return Pushing(feeds, streams, web_push, vapid, services)


class _Carrier:
    """`web.jmap.push_delivery.PushCarrier`."""

    def __init__(self, client: HttpsClient) -> None:
        self._client = client

    async def post(
        self, host: str, path: str, octets: bytes, fields: Sequence[tuple[str, str]], *, deadline: float
    ) -> PushAnswer:
        try:
            await self._client.post(host, path, "application/json", octets, deadline=deadline, fields=fields)
        except HttpsFault as fault:
            return PushAnswer(fault.status, fault.retry_after)
        return PushAnswer(_TAKEN)


def _contact(ground: Ground) -> str:
    """Return whom push services may write to (RFC 8292 §2.1)."""
    contact = ground.config.web.security_contact
    if contact.startswith(("mailto:", "https:")):
        return contact
    return f"mailto:postmaster@{ground.config.server.hostname}"
