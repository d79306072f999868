"""The settings of JMAP: most are limits, and the session object tells them (RFC 8620 §2)."""

from __future__ import annotations

__all__ = ["JmapOptions"]

from dataclasses import dataclass

from hongyan.options import option


@dataclass(frozen=True, slots=True)
class JmapOptions:
    """The section `[jmap]`."""

    enabled: bool = option(True, "Whether JMAP is served where the web is, and IMAP tells of it (RFC 9698).")
    max_size_request: int = option(10_000_000, "Largest request (maxSizeRequest).", unit="octets")
    max_concurrent_requests: int = option(8, "Requests that an account may have under way (maxConcurrentRequests).")
    max_calls_in_request: int = option(32, "Method calls in a request (maxCallsInRequest).")
    max_objects_in_get: int = option(500, "Objects that one call may ask for (maxObjectsInGet).")
    max_objects_in_set: int = option(500, "Objects that one call may create, update and destroy (maxObjectsInSet).")
    max_size_upload: int = option(50_000_000, "Largest upload (maxSizeUpload).", unit="octets")
    max_concurrent_upload: int = option(4, "Uploads that an account may have under way (maxConcurrentUpload).")
    upload_timeout: float = option(600.0, "How long an upload or a download may take.", unit="s")
    upload_hours: float = option(24.0, "How long an upload that nobody used is kept; an hour at least.", unit="h")
    upload_room: int = option(250_000_000, "Octets of unused uploads of an account; the oldest leave.", unit="octets")
    uploads: int = option(1000, "Unused uploads of an account; the oldest leave.")
    max_referenced: int = option(200_000, "Values that the references of a request may bring together.")
    max_query: int = option(5000, "Results of one call of a query; a client that wants more asks again.")
    max_changes: int = option(5000, "Changes that one call tells of; a client asks for the rest.")
    push_streams: int = option(16, "Connections of an account to which changes are pushed, of both kinds.")
    push_streams_total: int = option(10_000, "The same of all accounts together.")
    push_pause: float = option(
        1.0, "Changes of an account that come sooner after one another are pushed together.", unit="s"
    )
    push_lifetime: float = option(
        3600.0, "How long a stream of events lasts; then the client opens another, and misses nothing.", unit="s"
    )
    push_subscriptions: int = option(20, "Web Push: subscriptions of an account; 0: nothing is pushed to URLs.")
    push_verifications: int = option(
        30, "Subscriptions that an account may make: each one is a request to a URL that it chose.", unit="per hour"
    )
    push_apart: float = option(
        5.0, "Seconds between two pushes to one URL at least; what changes meanwhile is one push.", unit="s"
    )
    push_key: int = option(
        1, "Number of the key that push services know this server by; another number is another key."
    )
    identity_seconds: float = option(
        300.0, "How long a login is remembered that each request repeats; a revoked one is not.", unit="s"
    )

    def __post_init__(self) -> None:
        counts = (
            self.max_concurrent_requests,
            self.max_calls_in_request,
            self.max_objects_in_get,
            self.max_objects_in_set,
            self.max_concurrent_upload,
            self.uploads,
            self.max_referenced,
            self.max_query,
            self.max_changes,
            self.push_streams,
            self.push_streams_total,
        )
        if min(counts) < 1 or self.max_size_request < 1024 or self.max_size_upload < 0:
            raise ValueError("limits of JMAP are at least 1, and max_size_request is at least 1024 octets")
        if self.upload_hours < 1 or self.upload_timeout <= 0 or self.identity_seconds < 0:
            raise ValueError("upload_hours is at least 1 (RFC 8620 §6), and time-outs are positive")
        if self.push_subscriptions < 0 or self.push_verifications < 1 or self.push_apart < 1 or self.push_key < 1:
            raise ValueError(
                "push_subscriptions is not negative; push_verifications, push_apart, push_key are 1 or more"
            )
        if self.push_pause < 0 or self.push_lifetime < 60:
            raise ValueError("push_pause is not negative, and push_lifetime is at least 60 seconds")
        if self.upload_room < self.max_size_upload:
            raise ValueError("upload_room holds at least one upload of max_size_upload")
