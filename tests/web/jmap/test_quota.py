"""Quotas over JMAP (RFC 9425)."""

from __future__ import annotations

from hongyan.types import AccountId
from tests.support.jmap import CORE, JmapClient
from tests.support.server import Server

QUOTA = "urn:ietf:params:jmap:quota"


async def test_what_is_used_and_what_may_be_is_told_and_when_it_changes(server: Server, ann: JmapClient) -> None:
    ann.using = (CORE, QUOTA)
    account = AccountId(int(ann.account_id[1:], 16))
    await server.app.services.mail.mailboxes.set_quota(account, limit_octets=1000_000, limit_messages=0)
    before = await ann.call("Quota/get", ids=None)
    (quota,) = before["list"]
    assert (quota["resourceType"], quota["scope"], quota["types"]) == ("octets", "account", ["Mail"])
    assert (quota["hardLimit"], quota["used"]) == (1000_000, 0)
    assert (await ann.call("Quota/changes", sinceState=before["state"]))["updated"] == []
    await server.bring("ann@hongyan.test")
    news = await ann.call("Quota/changes", sinceState=before["state"])
    assert (news["updated"], news["updatedProperties"]) == ([quota["id"]], ["used"])
    now = await ann.call("Quota/get", ids=[quota["id"], "colour"], properties=["used"])
    assert now["list"][0]["used"] > 0
    assert now["notFound"] == ["colour"]
    assert (await ann.call("Quota/query"))["ids"] == [quota["id"]]
