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
    "certificates_ordered_total",
    "connections_refused_total",
    "connections_total",
    "consumer_passed_over_total",
    "dkim_verify_total",
    "dmarc_total",
    "dns_queries_total",
    "dns_server_up",
    "dns_stale_total",
    "dnsbl_tried_total",
    "domains_unready",
    "httpserver_invalid_requests_total",
    "httpserver_request_duration_seconds",
    "imap_command_duration_seconds",
    "imap_connections",
    "index_searches_total",
    "index_stopped",
    "indexed_total",
    "log_dropped_total",
    "log_total",
    "open_connections",
    "panic_total",
    "pop3_command_duration_seconds",
    "pop3_connections",
    "push_streams",
    "push_total",
    "queue_delivery_duration_seconds",
    "queue_destinations_total",
    "queue_hold",
    "queue_late_failures_total",
    "queue_messages",
    "queue_plaintext_fallback_total",
    "queue_settle_failures_total",
    "queue_unsettled",
    "render",
    "report_facts_dropped_total",
    "reports_received_total",
    "reports_sent_total",
    "screening_total",
    "sending_holds_total",
    "sending_refused_total",
    "smtpserver_command_duration_seconds",
    "smtpserver_connections_total",
    "smtpserver_delivery_stage_seconds",
    "smtpserver_delivery_total",
    "smtpserver_errors_total",
    "smtpserver_gate_total",
    "smtpserver_last_hop_seconds",
    "smtpserver_submission_total",
    "smtpserver_tarpitted",
    "spam_trained_total",
    "spf_total",
    "store_bytes",
    "store_needs_restart",
    "submission_late_total",
    "submission_unready_total",
    "timeline_dropped_total",
    "tls_handshakes_total",
    "tls_results_total",
    "vacation_total",
    "virus_scans_total",
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
_QUEUES = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)  # seconds in queues of others
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

consumer_passed_over_total = _counter(
    "consumer_passed_over_total", "Entries of change logs that a consumer could not take.", "consumer"
)

index_stopped = _gauge("index_stopped", "Whether indexing has stopped: the disk has no room beyond its reserve.")
indexed_total = _counter("indexed_total", "Messages whose text was indexed.")
index_searches_total = _counter(
    "index_searches_total", "Keys of searches for text, by who answered: the index, or messages read one by one.", "by"
)

open_connections = _gauge("open_connections", "Open connections.", "listener")
connections_total = _counter("connections_total", "Connections let in.", "listener")
connections_refused_total = _counter(
    "connections_refused_total", "Connections closed at the door.", "listener", "reason"
)
tls_handshakes_total = _counter("tls_handshakes_total", "TLS handshakes as a server.", "listener", "result")
dns_queries_total = _counter("dns_queries_total", "Questions to name servers.", "server", "result")
dns_server_up = _gauge("dns_server_up", "Whether a name server answers, or is set aside.", "server")
dns_stale_total = _counter("dns_stale_total", "Answers that were used after their time.")
domains_unready = _gauge("domains_unready", "Domains whose DNS would make their mail fail.")
cert_expiry_seconds = _gauge("cert_expiry_seconds", "When a certificate ends, in seconds since 1970.", "name")
certificates_ordered_total = _counter("certificates_ordered_total", "Certificates ordered.", "result")

smtpserver_connections_total = _counter("smtpserver_connections_total", "SMTP connections.", "kind")
smtpserver_command_duration_seconds = _times(
    "smtpserver_command_duration_seconds", "SMTP commands until their reply.", "kind", "verb", "code"
)
smtpserver_delivery_total = _counter("smtpserver_delivery_total", "Messages taken on port 25.", "result", "reason")
smtpserver_delivery_stage_seconds = _histogram(
    "smtpserver_delivery_stage_seconds",
    "Messages taken on port 25: from MAIL to the end of data (transfer), to the verdict (checks), until they are stored"
    " (storing); accept is from the end of data until they are stored.",
    "stage",
    buckets=(*_SHORT[2:], 30.0, 60.0, 300.0),
)
smtpserver_last_hop_seconds = _histogram(
    "smtpserver_last_hop_seconds", "Messages with the server before us, by the clocks of both.", buckets=_QUEUES
)
smtpserver_submission_total = _counter("smtpserver_submission_total", "Messages taken from our users.", "result")
submission_late_total = _counter(
    "submission_late_total", "Messages of our users put off, as what was asked had no answer in time.", "asked"
)
submission_unready_total = _counter(
    "submission_unready_total", "Messages of domains whose DNS would make them fail.", "result"
)
smtpserver_errors_total = _counter("smtpserver_errors_total", "SMTP replies of 4yz and 5yz.", "kind", "reason")
smtpserver_gate_total = _counter(
    "smtpserver_gate_total", "Refusals of strangers before their mail was looked at.", "check", "reason"
)
smtpserver_tarpitted = _gauge("smtpserver_tarpitted", "SMTP connections that are held for their faults.")

spam_trained_total = _counter("spam_trained_total", "Messages that the spam filter was taught by.", "kind")
virus_scans_total = _counter("virus_scans_total", "Messages given to the virus scanner.", "result")
spf_total = _counter("spf_total", "SPF checks of MAIL FROM.", "status")
dkim_verify_total = _counter("dkim_verify_total", "DKIM signatures checked.", "status")
dnsbl_tried_total = _counter("dnsbl_tried_total", "Tries of whether a block list can be believed.", "zone", "health")
dmarc_total = _counter("dmarc_total", "Messages checked by DMARC.", "status", "disposition")
screening_total = _counter(
    "screening_total", "What messages from other servers were found to be.", "check", "disposition"
)

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

push_total = _counter("push_total", "Pushes to URLs of push subscriptions.", "result")
push_streams = _gauge("push_streams", "Connections of JMAP to which changes are pushed.")

authentication_total = _counter("authentication_total", "Tries to log in.", "kind", "variant", "tls", "result")
authentication_ratelimited_total = _counter(
    "authentication_ratelimited_total", "Tries to log in that were refused unseen.", "kind"
)

queue_messages = _gauge("queue_messages", "Recipients that wait in the queue.")
queue_hold = _gauge("queue_hold", "Recipients on hold in the queue.")
queue_delivery_duration_seconds = _histogram(
    "queue_delivery_duration_seconds", "Tries to deliver.", "attempt", "transport", "tls", "result", buckets=_LONG
)
queue_late_failures_total = _counter(
    "queue_late_failures_total",
    "Recipients that a server had taken, and then told that it could not reach.",
)
queue_settle_failures_total = _counter(
    "queue_settle_failures_total",
    "Tries in vain to store how deliveries went: the store failed, or a fault of ours.",
    "kind",
)
queue_unsettled = _gauge("queue_unsettled", "Outcomes of deliveries that are not stored yet, and are tried again.")
queue_destinations_total = _counter("queue_destinations_total", "Hosts connected to.", "transport", "result")
queue_plaintext_fallback_total = _counter("queue_plaintext_fallback_total", "Tries without TLS after TLS failed.")
tls_results_total = _counter(
    "tls_results_total",
    "Sessions with other servers by the policy of their domain and by what failed.",
    "policy",
    "failure",
)

reports_sent_total = _counter(
    "reports_sent_total", "Reports to other domains, and what became of them.", "kind", "result"
)
reports_received_total = _counter(
    "reports_received_total", "Letters that say that they bring a report, and what became of them.", "result"
)
report_facts_dropped_total = _counter(
    "report_facts_dropped_total", "What reports to other domains had no room for.", "kind"
)
vacation_total = _counter("vacation_total", "Messages to people who are away, and what became of them.", "result")
timeline_dropped_total = _counter(
    "timeline_dropped_total", "Steps of messages that timelines could not keep.", "reason"
)
sending_refused_total = _counter("sending_refused_total", "Messages of our users refused by a quota or hold.", "limit")
sending_holds_total = _counter("sending_holds_total", "Accounts put on hold.", "trigger")

store_bytes = _gauge("store_bytes", "Octets stored.", "kind")
store_needs_restart = _gauge(
    "store_needs_restart", "1 after the disk has failed to keep the database: its log grows until a restart moves it."
)


def render() -> bytes:
    """Return all metrics in Prometheus' text form."""
    return generate_latest(REGISTRY)
