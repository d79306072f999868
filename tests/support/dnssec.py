"""A small DNS that is truly signed: zones of BIND below a signed `test.`, and Unbound, which validates them.

with start_signed_dns(folder, [SignedZone("geese.test", ["@ MX 10 mx", "mx A 127.0.0.9"])]) as dns:
    dns.publish("geese.test", "_25._tcp.mx TLSA 3 1 1 …")
    …  # ask dns.server, a resolver on loopback that sets AD where the signatures hold
"""

from __future__ import annotations

__all__ = ["SignedDns", "SignedZone", "start_signed_dns"]

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.zone

from tests.support import debian
from tests.support.bind import KEY_NAME, SECRET, Bind, run_bind
from tests.support.ports import free_addresses, wait_for_port

_PARENT = "test"
_SECONDS = 20
_DNS_PORT = 53

_CHANGING = """\
zone "{zone}" {{
    type primary;
    file "{zone}.zone";
    key-directory "{folder}";
    {signing}
    update-policy {{ grant {key} zonesub ANY; }};
}};
"""
_FIXED = 'zone "{zone}" {{ type primary; file "{zone}.zone.signed"; }};\n'

_HEAD = """\
$TTL 60
$ORIGIN {zone}.
@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 864000 60
@ NS ns.{zone}.
ns A 127.0.0.1
"""

_UNBOUND = """\
server:
    interface: {address}
    port: {port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    num-threads: 1
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    val-log-level: 2
    module-config: "validator iterator"
    trust-anchor-file: "{folder}/anchor"
    local-zone: "test." nodefault
    local-zone: "127.in-addr.arpa." nodefault
    # What a test changes is seen at once.
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
    aggressive-nsec: no
remote-control:
    control-enable: no
"""


@dataclass(frozen=True, slots=True)
class SignedZone:
    """A zone and its records, as a zone file has them.

    One that is not signed is truly delegated without a key. `tampered` is a kind of record whose values are changed
    after they were signed; such a zone stays as it is.
    """

    name: str
    records: Sequence[str]
    is_signed: bool = True
    tampered: str = ""


@dataclass(frozen=True, slots=True)
class SignedDns:
    """The running servers. `address` is that of the resolver, on port 53."""

    address: str
    bind: Bind

    @property
    def server(self) -> str:
        return f"{self.address}:{_DNS_PORT}"

    def publish(self, zone: str, text: str) -> None:
        """Put records into a zone, which signs them, in place of those of the same name and kind.

        `text` is part of a zone file, as `hongyan domain dns --zone` prints it.
        """
        keyring = dns.tsigkeyring.from_text({KEY_NAME: SECRET})
        update = dns.update.UpdateMessage(
            zone, keyring=keyring, keyname=dns.name.from_text(KEY_NAME), keyalgorithm=dns.tsig.HMAC_SHA256
        )
        read = dns.zone.from_text(f"$TTL 60\n{text}\n", origin=zone, relativize=False, check_origin=False)
        for name, rdataset in read.iterate_rdatasets():
            update.replace(name, rdataset)
        answer = dns.query.tcp(update, "127.0.0.1", timeout=_SECONDS, port=self.bind.port)
        assert answer.rcode() == dns.rcode.NOERROR, answer

    def ask(self, name: str, kind: str) -> dns.message.Message:
        """Ask the resolver."""
        return dns.query.udp(_question(name, kind), self.address, timeout=_SECONDS, port=_DNS_PORT)


@contextmanager
def start_signed_dns(folder: Path, zones: Sequence[SignedZone]) -> Iterator[SignedDns]:
    """Serve zones below `test.`. Needs root, for port 53 of an address of loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    root = debian.require("bind9")
    conf = "".join(_write_zone(root, folder, zone) for zone in zones)
    delegations = [f"{zone.name}. NS ns.{zone.name}.\nns.{zone.name}. A 127.0.0.1" for zone in zones]
    signers = [_find_ds(root, folder, zone.name) for zone in zones if zone.is_signed]
    conf += _write_zone(root, folder, SignedZone(_PARENT, [*delegations, *signers], tampered="NULL"))
    (folder / "anchor").write_text(_find_ds(root, folder, _PARENT))
    names = [zone.name for zone in zones]
    with run_bind(folder, conf) as bind:
        for zone in zones:
            if zone.is_signed:
                _wait_for_signatures(bind, zone.name)
        with _run_unbound(folder, bind, [_PARENT, *names]) as address:
            yield SignedDns(address, bind)


def _write_zone(root: Path, folder: Path, zone: SignedZone) -> str:
    """Write a zone's file, and its key if it is signed; return what BIND is told of it."""
    file = folder / f"{zone.name}.zone"
    file.write_text(_HEAD.format(zone=zone.name) + "".join(f"{record}\n" for record in zone.records))
    if not zone.is_signed:
        return _CHANGING.format(zone=zone.name, folder=folder, key=KEY_NAME, signing="")
    _run(root, folder, "dnssec-keygen", "-q", "-k", "default", zone.name)
    if not zone.tampered:
        return _CHANGING.format(zone=zone.name, folder=folder, key=KEY_NAME, signing="dnssec-policy default;")
    _run(root, folder, "dnssec-signzone", "-q", "-S", "-z", "-o", zone.name, file.name)
    _tamper(file.with_name(f"{file.name}.signed"), zone.name, zone.tampered)
    return _FIXED.format(zone=zone.name)


def _tamper(file: Path, zone: str, kind: str) -> None:
    """Change the last octet of each record of a kind, and let its signature be."""
    read = dns.zone.from_file(str(file), origin=zone)
    for name, rdataset in list(read.iterate_rdatasets(kind)):
        read.replace_rdataset(name, dns.rdataset.from_rdata_list(rdataset.ttl, [_change(rdata) for rdata in rdataset]))
    read.to_file(str(file))


def _change(rdata: dns.rdata.Rdata) -> dns.rdata.Rdata:
    octets = rdata.to_digestable()
    octets = octets[:-1] + bytes([octets[-1] ^ 1])
    return dns.rdata.from_wire(rdata.rdclass, rdata.rdtype, octets, 0, len(octets))


def _find_ds(root: Path, folder: Path, zone: str) -> str:
    (key,) = folder.glob(f"K{zone}.+*.key")
    return _run(root, folder, "dnssec-dsfromkey", "-2", key.name)


def _run(root: Path, folder: Path, program: str, *arguments: str) -> str:
    command = [str(debian.find_program(root, program)), *arguments]
    environment = debian.run_environment(root)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _question(name: str, kind: str) -> dns.message.QueryMessage:
    return dns.message.make_query(name, kind, want_dnssec=True)


def _wait_for_signatures(bind: Bind, zone: str) -> None:
    """BIND serves a zone before it has signed it."""
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = dns.query.tcp(_question(zone, "SOA"), "127.0.0.1", timeout=_SECONDS, port=bind.port)
        if any(found.rdtype == dns.rdatatype.RRSIG for found in answer.answer):
            return
        assert time.monotonic() < deadline, bind.log.read_text(errors="replace")
        time.sleep(0.02)


@contextmanager
def _run_unbound(folder: Path, bind: Bind, zones: Sequence[str]) -> Iterator[str]:
    root = debian.require("unbound")
    (address,) = free_addresses(1)
    conf = _UNBOUND.format(address=address, port=_DNS_PORT, folder=folder)
    for zone in ("", *zones):  # all of the DNS there is: nobody else is asked
        conf += f'stub-zone:\n    name: "{zone}."\n    stub-addr: 127.0.0.1@{bind.port}\n'
    (folder / "unbound.conf").write_text(conf)
    log = folder / "unbound.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [debian.find_program(root, "unbound"), "-d", "-d", "-c", folder / "unbound.conf"],
            env=debian.run_environment(root),
            stdout=file,
            stderr=file,
        )
    try:
        wait_for_port(_DNS_PORT, process, host=address, log=log)
        yield address
    finally:
        process.terminate()
        process.wait(_SECONDS)
