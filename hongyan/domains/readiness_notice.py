"""What a postmaster is told when a domain becomes ready to send, or is so no longer: in Chinese and in English."""

from __future__ import annotations

__all__ = ["write_notice"]

from collections.abc import Sequence

from hongyan.addresses import Domain
from hongyan.domains.findings import Finding, Severity
from hongyan.domains.judgement import Readiness

_READY = """\
{domain} 的 SPF、DKIM、DMARC、MX 和 PTR 都已正确，可以发信了。

The SPF, DKIM, DMARC, MX and PTR of {domain} are right: it is ready to send.
"""

_NOT_READY = """\
{domain} 的 DNS 有问题，它发出的邮件会被拒收或当作垃圾邮件。有问题的是：{missing}。
在服务器上运行 `hongyan domain check {domain}` 可看到每一项的说明和改正办法。

The DNS of {domain} is at fault, and mail that it sends is refused or taken for spam. What is wrong: {missing}.
On the server `hongyan domain check {domain}` says more, and how each is mended.

{findings}
"""


def write_notice(domain: Domain, readiness: Readiness, findings: Sequence[Finding]) -> tuple[str, str]:
    """Return the subject and the text."""
    if readiness.is_ready:
        return f"{domain}: 已可发信 / ready to send", _READY.format(domain=domain)
    missing = ", ".join(aspect.upper() for aspect in readiness.wrong)
    told = [finding for finding in findings if finding.severity is Severity.ERROR]
    lines = "\n".join(f"* {finding.sentence} {finding.remedy}" for finding in told)
    text = _NOT_READY.format(domain=domain, missing=missing, findings=lines)
    return f"{domain}: 尚不能发信 / not ready to send ({missing})", text
