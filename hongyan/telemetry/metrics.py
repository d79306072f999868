"""Metrics, as Prometheus reads them. Names are mox's where mox has one, so that its dashboards and alerts fit.

Whoever counts often keeps the child: `labels(…)` costs as much as counting. No label has a value that a
stranger chooses: there is a bounded number of series.
"""

from __future__ import annotations

__all__ = [
    "REGISTRY",
    "authentication_ratelimited_total",
    "authentication_total",
    "cert_expiry_seconds",
    "connections_refused_total",
    "connections_total",
    "httpserver_invalid_requests_total",
    "httpserver_request_duration_seconds",
    "imap_command_duration_seconds",
    "imap_connections",
    "log_dropped_total",
    "log_total",
    "open_connections",
    "panic_total",
    "pop3_command_duration_seconds",
    "pop3_connections",
    "queue_delivery_duration_seconds",
    "queue_destinations_total",
    "queue_hold",
    "queue_messages",
    "queue_plaintext_fallback_total",
    "render",
    "smtpserver_command_duration_seconds",
    "smtpserver_connections_total",
    "smtpserver_delivery_total",
    "smtpserver_errors_total",
    "smtpserver_submission_total",
    "store_bytes",
    "store_needs_restart",
    "tls_handshakes_total",
]

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from hongyan.telemetry.times import Times

# When each child was made doubles the page and helps nobody.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SHORT = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # seconds within the process
_LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)  # seconds when another machine is asked


def _counter(name: str, doc: str, *labels: str) -> Counter:
    return Counter(f"hongyan_{name}", doc, labels, registry=REGISTRY)


def _gauge(name: str, doc: str, *labels: str) -> Gauge:
    return Gauge(f"hongyan_{name}", doc, labels, registry=REGISTRY)


def _histogram(name: str, doc: str, *labels: str, buckets: tuple[float, ...] = _SHORT) -> Histogram:
    return Histogram(f"hongyan_{name}", doc, labels, registry=REGISTRY, buckets=buckets)


def _times(name: str, doc: str, *labels: str) -> Times:
    return Times(f"hongyan_{name}", doc, labels, _SHORT, REGISTRY)


log_total = _counter("log_total", "Events logged.", "level")
log_dropped_total = _counter("log_dropped_total", "Events that the log could not take.")
panic_total = _counter("panic_total", "Errors that nobody expected.", "area")

open_connections = _gauge("open_connections", "Open connections.", "listener")
connections_total = _counter("connections_total", "Connections let in.", "listener")
connections_refused_total = _counter(
    "connections_refused_total", "Connections closed at the door.", "listener", "reason"
)
tls_handshakes_total = _counter("tls_handshakes_total", "TLS handshakes as a server.", "listener", "result")
cert_expiry_seconds = _gauge("cert_expiry_seconds", "When a certificate ends, in seconds since 1970.", "name")

smtpserver_connections_total = _counter("smtpserver_connections_total", "SMTP connections.", "kind")
smtpserver_command_duration_seconds = _times(
    "smtpserver_command_duration_seconds", "SMTP commands until their reply.", "kind", "verb", "code"
)
smtpserver_delivery_total = _counter("smtpserver_delivery_total", "Messages taken on port 25.", "result", "reason")
smtpserver_submission_total = _counter("smtpserver_submission_total", "Messages taken from our users.", "result")
smtpserver_errors_total = _counter("smtpserver_errors_total", "SMTP replies of 4yz and 5yz.", "kind", "reason")

imap_connections = _gauge("imap_connections", "Open IMAP connections.", "state")
imap_command_duration_seconds = _times(
    "imap_command_duration_seconds", "IMAP commands until their tagged response.", "cmd", "result"
)
pop3_connections = _gauge("pop3_connections", "Open POP3 connections.", "state")
pop3_command_duration_seconds = _times(
    "pop3_command_duration_seconds", "POP3 commands until their response.", "cmd", "result"
)
httpserver_request_duration_seconds = _histogram(
    "httpserver_request_duration_seconds", "HTTP requests until their response ended.", "handler", "method", "code"
)

httpserver_invalid_requests_total = _counter("httpserver_invalid_requests_total", "What came and was no HTTP.")

authentication_total = _counter("authentication_total", "Tries to log in.", "kind", "variant", "tls", "result")
authentication_ratelimited_total = _counter(
    "authentication_ratelimited_total", "Tries to log in that were refused unseen.", "kind"
)

queue_messages = _gauge("queue_messages", "Recipients that wait in the queue.")
queue_hold = _gauge("queue_hold", "Recipients on hold in the queue.")
queue_delivery_duration_seconds = _histogram(
    "queue_delivery_duration_seconds", "Tries to deliver.", "attempt", "transport", "tls", "result", buckets=_LONG
)
queue_destinations_total = _counter("queue_destinations_total", "Hosts connected to.", "transport", "result")
queue_plaintext_fallback_total = _counter("queue_plaintext_fallback_total", "Tries without TLS after TLS failed.")


store_bytes = _gauge("store_bytes", "Octets stored.", "kind")
store_needs_restart = _gauge(
    "store_needs_restart", "1 after the disk has failed to keep the database: its log grows until a restart moves it."
)


def render() -> bytes:
    """Return all metrics in Prometheus' text form."""
    return generate_latest(REGISTRY)
