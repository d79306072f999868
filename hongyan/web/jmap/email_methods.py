"""The methods of emails, threads and search snippets (RFC 8621 §3-§5), by name."""

from __future__ import annotations

__all__ = ["email_methods"]

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from hongyan.web.jmap.call import Call, Method, method
from hongyan.web.jmap.email_changes import email_changes, thread_changes
from hongyan.web.jmap.email_get import email_get
from hongyan.web.jmap.email_import import email_copy, email_import, email_parse
from hongyan.web.jmap.email_query import QueryResults, email_query, email_query_changes
from hongyan.web.jmap.email_services import EmailServices
from hongyan.web.jmap.email_set import EmailSetter
from hongyan.web.jmap.mail_blobs import MailBlobs
from hongyan.web.jmap.search_snippet import search_snippet_get
from hongyan.web.jmap.thread import thread_get


def email_methods(services: EmailServices, blobs: MailBlobs) -> Mapping[str, Method]:
    """Return the methods; `blobs` finds what messages are made from."""
    setter = EmailSetter(services, blobs)
    results = QueryResults()
    handlers: Mapping[str, Callable[[Call], Awaitable[Mapping[str, object]]]] = {
        "Email/get": partial(email_get, services),
        "Email/changes": partial(email_changes, services),
        "Email/query": partial(email_query, services, results),
        "Email/queryChanges": partial(email_query_changes, services, results),
        "Email/set": setter.set,
        "Email/copy": email_copy,
        "Email/import": partial(email_import, services, blobs, setter),
        "Email/parse": partial(email_parse, services, blobs),
        "Thread/get": partial(thread_get, services),
        "Thread/changes": partial(thread_changes, services),
        "SearchSnippet/get": partial(search_snippet_get, services),
    }
    return {name: method(handler) for name, handler in handlers.items()}
