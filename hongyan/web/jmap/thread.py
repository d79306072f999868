"""Thread/get: the emails of a thread by their arrival (RFC 8621 §3.1)."""

from __future__ import annotations

__all__ = ["thread_get"]

from collections.abc import Mapping

from hongyan.types import EmailId
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_services import EmailServices, email_state, locate
from hongyan.web.jmap.ids import email_id, read_thread_id
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.standard import read_get

_PROPERTIES = ("id", "emailIds")


async def thread_get(services: EmailServices, call: Call) -> Mapping[str, object]:
    """Return threads. All of them are more than one call may ask for."""
    asked = read_get(call.arguments, _PROPERTIES, services.jmap.options.max_objects_in_get)
    if asked.ids is None:
        raise MethodError("requestTooLarge", "Name the threads.")
    account = call.account
    state = await email_state(services, account)
    named = {one: read_thread_id(call.created.resolve(one) or "", account) for one in asked.ids}
    threads = [thread for thread in named.values() if thread is not None]
    emails: dict[int, dict[EmailId, int]] = {}
    for placement, date in await services.placements.list_threads(account, threads) if threads else ():
        emails.setdefault(placement.thread, {})[placement.email] = date
    shown = await locate(services, account, [email for of in emails.values() for email in of])
    found: list[Mapping[str, object]] = []
    not_found: list[str] = []
    for one, thread in named.items():
        there = [email for email in emails.get(-1 if thread is None else thread, {}) if email in shown]
        if thread is None or not there:
            not_found.append(one)
            continue
        dates = emails[thread]
        there.sort(key=lambda email, dates=dates: (dates[email], email))  # type: ignore[misc]  # bound here
        whole = {"id": one, "emailIds": [email_id(email) for email in there]}
        chosen = asked.properties
        found.append({key: value for key, value in whole.items() if chosen is None or key in chosen or key == "id"})
    return {"accountId": call.account_id, "state": state, "list": found, "notFound": not_found}
