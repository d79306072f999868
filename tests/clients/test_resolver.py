"""The resolver against scripted DNS servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from hongyan.clients.dns_query import DnsOptions, NameServer, system_servers
from hongyan.clients.resolver import DnsResolver
from hongyan.errors import ConfigurationError
from hongyan.mailauth.resolver import DnsNotFound, Dnssec, DnsTemporary, MxRecord, TlsaRecord
from tests.support.clock import FakeClock

Reply = Callable[[dns.message.Message], dns.message.Message | bytes | None]


class Server(asyncio.DatagramProtocol):
    """Answers with what its script returns: a message, raw octets, or nothing at all."""

    def __init__(self, script: Reply, tcp_script: Reply | None = None) -> None:
        self.script = script
        self.tcp_script = tcp_script or script
        self.asked: list[str] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = self._answer(data, self.script, "udp")
        if answer is not None:
            self.transport.sendto(answer, address)  # type: ignore[attr-defined]

    async def serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = self._answer(await reader.readexactly(length), self.tcp_script, "tcp") or b""
        writer.write(len(answer).to_bytes(2, "big") + answer)
        await writer.drain()
        writer.close()

    def _answer(self, octets: bytes, script: Reply, transport: str) -> bytes | None:
        query = dns.message.from_wire(octets)
        question = query.question[0]
        self.asked.append(f"{transport} {question.name.to_text(True)} {dns.rdatatype.to_text(question.rdtype)}")
        answer = script(query)
        return answer.to_wire() if isinstance(answer, dns.message.Message) else answer

    def as_name_server(self, *, trusted: bool = True) -> NameServer:
        return NameServer("127.0.0.1", self.port, trusted)


@asynccontextmanager
async def serving(script: Reply, tcp_script: Reply | None = None) -> AsyncIterator[Server]:
    server = Server(script, tcp_script)
    stream = await asyncio.start_server(server.serve_stream, "127.0.0.1", 0)
    server.port = stream.sockets[0].getsockname()[1]
    datagram, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: server, local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        datagram.close()
        stream.close()
        await stream.wait_closed()


def zone(*lines: str, rcode: int = dns.rcode.NOERROR, authentic: bool = False) -> Reply:
    """A script that answers with these records of the kind asked for, and with CNAMEs."""

    def script(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(rcode)
        if authentic and query.flags & dns.flags.AD:
            response.flags |= dns.flags.AD
        for line in lines:
            name, ttl, kind, data = line.split(" ", 3)
            if kind == "SOA":
                response.authority.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
            elif kind in ("CNAME", dns.rdatatype.to_text(query.question[0].rdtype)):
                rrset = response.find_rrset(
                    response.answer, dns.name.from_text(name), 1, dns.rdatatype.from_text(kind), create=True
                )
                rrset.update(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
        return response

    return script


def resolver(*servers: Server | NameServer, clock: FakeClock | None = None, **options: object) -> DnsResolver:
    named = [server.as_name_server() if isinstance(server, Server) else server for server in servers]
    settings = DnsOptions(**({"timeout": 5.0, "rounds": 1} | options))  # type: ignore[arg-type]
    return DnsResolver(settings, clock or FakeClock(), named)


async def test_each_kind_of_record_is_read() -> None:
    records = zone(
        "example.org. 300 MX 10 MX1.Example.ORG.",
        "example.org. 300 MX 20 mx2.example.org.",
        'example.org. 300 TXT "v=spf1 " "-all"',
        "example.org. 300 A 192.0.2.1",
        "example.org. 300 AAAA 2001:db8::1",
        "1.2.0.192.in-addr.arpa. 300 PTR Mail.Example.org.",
        "_25._tcp.example.org. 300 TLSA 3 1 0 abcd",
    )
    async with serving(records) as server:
        ask = resolver(server)
        exchanges = {*(await ask.mx("Example.org")).records}
        assert exchanges == {MxRecord(10, "mx1.example.org"), MxRecord(20, "mx2.example.org")}
        assert (await ask.txt("example.org.")).records == (b"v=spf1 -all",)
        assert {*(await ask.addresses("example.org")).records} == {ip_address("192.0.2.1"), ip_address("2001:db8::1")}
        assert (await ask.addresses("example.org", version=6)).records == (IPv6Address("2001:db8::1"),)
        assert (await ask.ptr(ip_address("192.0.2.1"))).records == ("mail.example.org",)
        assert (await ask.tlsa("_25._tcp.example.org")).records == (TlsaRecord(3, 1, 0, b"\xab\xcd"),)


async def test_the_null_mx_has_an_empty_name() -> None:
    async with serving(zone("example.org. 300 MX 0 .")) as server:
        assert (await resolver(server).mx("example.org")).records == (MxRecord(0, ""),)


async def test_no_data_and_no_domain_are_told_apart() -> None:
    soa = "org. 300 SOA a. b. 1 1 1 1 60"
    async with serving(zone(soa)) as server, serving(zone(soa, rcode=dns.rcode.NXDOMAIN)) as nowhere:
        with pytest.raises(DnsNotFound) as absent:
            await resolver(server).mx("example.org")
        assert absent.value.domain_exists
        with pytest.raises(DnsNotFound) as absent:
            await resolver(nowhere).addresses("example.org")
        assert not absent.value.domain_exists


async def test_cnames_are_followed_to_their_end() -> None:
    records = zone("www.example.org. 300 CNAME web.example.org.", "web.example.org. 300 A 192.0.2.1")
    async with serving(records) as server:
        answer = await resolver(server).addresses("www.example.org", version=4)
        assert (answer.name, answer.records) == ("web.example.org", (ip_address("192.0.2.1"),))


async def test_a_cut_answer_is_asked_for_again_by_tcp() -> None:
    def cut(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    async with serving(cut, zone('example.org. 300 TXT "whole"')) as server:
        assert (await resolver(server).txt("example.org")).records == (b"whole",)
        assert [line.partition(" ")[0] for line in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR])
async def test_the_next_server_is_asked_when_one_fails(rcode: int) -> None:
    async with serving(zone(rcode=rcode)) as broken, serving(zone("example.org. 300 A 192.0.2.1")) as sound:
        ask = resolver(broken, sound)
        await ask.addresses("example.org", version=4)
        assert (len(broken.asked), len(sound.asked)) == (1, 1)
        with pytest.raises(DnsNotFound):
            await ask.addresses("other.example.org", version=4)
        assert len(broken.asked) == 1, "the one that failed comes last from now on"


async def test_a_silent_server_is_passed_over() -> None:
    async with serving(lambda _: None) as silent, serving(zone("example.org. 300 A 192.0.2.1")) as sound:
        ask = resolver(silent, sound, timeout=0.5)
        assert (await ask.addresses("example.org", version=4)).records == (ip_address("192.0.2.1"),)


async def test_when_nobody_answers_the_failure_is_temporary_and_remembered_for_seconds() -> None:
    clock = FakeClock()
    async with serving(zone(rcode=dns.rcode.SERVFAIL)) as server:
        ask = resolver(server, clock=clock, rounds=2)
        for _ in range(3):
            with pytest.raises(DnsTemporary):
                await ask.txt("example.org")
        assert len(server.asked) == 2
        clock.advance(6)
        with pytest.raises(DnsTemporary):
            await ask.txt("example.org")
        assert len(server.asked) == 4


async def test_a_closed_port_is_temporary() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DnsTemporary):
        await resolver(NameServer("127.0.0.1", port, True), timeout=0.2).txt("example.org")


async def test_garbage_is_not_an_answer() -> None:
    async with serving(lambda _: b"\x00\x01garbage") as server:
        with pytest.raises(DnsTemporary):
            await resolver(server, timeout=0.05).txt("example.org")


async def test_an_answer_to_another_question_is_not_taken() -> None:
    def other(query: dns.message.Message) -> dns.message.Message:
        forged = dns.message.make_query("example.com", "TXT", id=query.id)
        return zone('example.com. 300 TXT "forged"')(forged)

    async with serving(other) as server:
        with pytest.raises(DnsTemporary):
            await resolver(server, timeout=0.05).txt("example.org")


async def test_dnssec_counts_only_from_a_server_that_is_trusted() -> None:
    records = zone("example.org. 300 A 192.0.2.1", "example.org. 300 AAAA 2001:db8::1", authentic=True)
    async with serving(records) as server:
        assert (await resolver(server).addresses("example.org")).dnssec is Dnssec.SECURE
        distant = server.as_name_server(trusted=False)
        assert (await resolver(distant).addresses("example.org")).dnssec is Dnssec.INSECURE


async def test_a_proven_absence_is_secure() -> None:
    async with serving(zone(rcode=dns.rcode.NXDOMAIN, authentic=True)) as server:
        with pytest.raises(DnsNotFound) as absent:
            await resolver(server).tlsa("_25._tcp.example.org")
        assert absent.value.dnssec is Dnssec.SECURE


async def test_a_bogus_answer_is_not_asked_for_elsewhere() -> None:
    def bogus(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        response.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
        return response

    async with serving(bogus) as validating, serving(zone('example.org. 300 TXT "forged"')) as careless:
        with pytest.raises(DnsTemporary) as fault:
            await resolver(validating, careless).txt("example.org")
        assert fault.value.dnssec is Dnssec.BOGUS
        assert careless.asked == []


async def test_answers_are_remembered_for_their_time_within_bounds() -> None:
    clock = FakeClock()
    async with serving(zone('example.org. 60 TXT "x"', 'long.org. 9999999 TXT "x"', 'short.org. 0 TXT "x"')) as server:
        ask = resolver(server, clock=clock)
        assert (await ask.txt("example.org")).ttl == 60
        clock.advance(59)
        assert (await ask.txt("EXAMPLE.org")).ttl == 1
        assert len(server.asked) == 1
        clock.advance(1)
        await ask.txt("example.org")
        assert len(server.asked) == 2
        assert (await ask.txt("long.org")).ttl == 86_400
        assert (await ask.txt("short.org")).ttl == 5


async def test_an_absence_is_remembered_by_its_soa() -> None:
    clock = FakeClock()
    async with serving(zone("org. 300 SOA a. b. 1 1 1 1 60", rcode=dns.rcode.NXDOMAIN)) as server:
        ask = resolver(server, clock=clock)
        for advance in (0, 59, 1):
            clock.advance(advance)
            with pytest.raises(DnsNotFound):
                await ask.txt("example.org")
        assert len(server.asked) == 2


async def test_the_cache_has_a_limit_and_forgets_what_was_not_used() -> None:
    async with serving(zone(*(f'{number}.org. 300 TXT "x"' for number in range(10)))) as server:
        ask = resolver(server, cache_entries=3)
        for number in (0, 1, 2, 0, 3, 0):
            await ask.txt(f"{number}.org")
        assert len(server.asked) == 4
        assert len(ask._cache) == 3
        await ask.txt("1.org")
        assert len(server.asked) == 5


async def test_a_name_that_only_lower_case_makes_ascii_is_not_answered_from_the_cache() -> None:
    async with serving(zone('kelvin.org. 300 TXT "x"')) as server:
        ask = resolver(server)
        assert (await ask.txt("KELVIN.org.")).records == (b"x",)
        assert (await ask.txt("kelvin.org")).records == (b"x",)
        with pytest.raises(DnsNotFound):
            await ask.txt("\N{KELVIN SIGN}elvin.org")
        assert len(server.asked) == 1


async def test_what_is_remembered_is_read_anew_by_who_reads_it_in_another_way() -> None:
    async with serving(zone("mx.example.org. 300 MX 10 a.example.org.")) as server:
        ask = resolver(server)
        for _ in range(2):
            assert (await ask.mx("mx.example.org")).records == (MxRecord(10, "a.example.org"),)
            assert (await ask.records("mx.example.org", "MX")).records == ("10 a.example.org.",)
        assert len(server.asked) == 1


async def test_those_who_ask_the_same_share_one_question() -> None:
    async with serving(zone('example.org. 300 TXT "x"')) as server:
        ask = resolver(server, cache_entries=0)
        answers = await asyncio.gather(*(ask.txt("example.org") for _ in range(20)))
        assert {answer.records for answer in answers} == {(b"x",)}
        assert len(server.asked) == 1
        assert ask._under_way == {}


async def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    released = asyncio.Event()

    async with serving(zone('example.org. 300 TXT "x"')) as server:
        ask = resolver(server)
        original = ask._ask_servers

        async def held(name: object, kind: object) -> object:
            await released.wait()
            return await original(name, kind)  # type: ignore[arg-type]

        ask._ask_servers = held  # type: ignore[method-assign, assignment]
        leader = asyncio.create_task(ask.txt("example.org"))
        followers = [asyncio.create_task(ask.txt("example.org")) for _ in range(3)]
        await asyncio.sleep(0)
        leader.cancel()
        followers[0].cancel()
        await asyncio.wait([leader, followers[0]])
        released.set()
        answers = await asyncio.gather(*followers[1:])
        assert {answer.records for answer in answers} == {(b"x",)}
        assert leader.cancelled()


async def test_one_ip_version_is_enough() -> None:
    async with serving(zone("example.org. 300 A 192.0.2.1")) as server:
        assert (await resolver(server).addresses("example.org")).records == (ip_address("192.0.2.1"),)


async def test_an_address_that_nobody_could_tell_is_not_absent() -> None:
    def partly(query: dns.message.Message) -> dns.message.Message:
        failing = query.question[0].rdtype == dns.rdatatype.A
        return zone(rcode=dns.rcode.SERVFAIL if failing else dns.rcode.NOERROR)(query)

    async with serving(partly) as server:
        with pytest.raises(DnsTemporary):
            await resolver(server).addresses("example.org")


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 60] * 5), "a b.org", "a\n.org", "\x00", "中文.org"]
)
async def test_a_name_that_cannot_be_asked_does_not_exist(name: str) -> None:
    ask = resolver(NameServer("127.0.0.1", 9, True))
    with pytest.raises(DnsNotFound) as absent:
        await ask.txt(name)
    assert not absent.value.domain_exists


async def test_labels_may_hold_what_macros_put_there() -> None:
    async with serving(zone(rcode=dns.rcode.NXDOMAIN)) as server:
        with pytest.raises(DnsNotFound):
            await resolver(server).txt('a+"b;(@$.\\x._spf.example.org')
        assert len(server.asked) == 1


async def test_localhost_is_no_question_for_the_dns() -> None:
    ask = resolver(NameServer("127.0.0.1", 9, True))
    assert {str(address) for address in (await ask.addresses("localhost")).records} == {"127.0.0.1", "::1"}
    assert (await ask.addresses("a.LocalHost", version=4)).records == (ip_address("127.0.0.1"),)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", NameServer("192.0.2.1", 53, False)),
        ("127.0.0.1:5353", NameServer("127.0.0.1", 5353, True)),
        ("2001:db8::1", NameServer("2001:db8::1", 53, False)),
        ("[::1]:54", NameServer("::1", 54, True)),
        ("[::1]", NameServer("::1", 53, True)),
    ],
)
def test_a_server_is_read(text: str, server: NameServer) -> None:
    assert NameServer.parse(text) == server
    assert NameServer.parse(text, trusted=True).trusted


@pytest.mark.parametrize("text", ["", "dns.example", "1.2.3", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:99999", "[::1", "a:b"])
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        NameServer.parse(text)


def test_the_servers_of_this_machine_are_found(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# comment\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver nonsense\nsearch a b\nnameserver\n"
    )
    assert system_servers(file) == [NameServer("192.0.2.1", 53, False), NameServer("fe80::1%eth0", 53, False)]
    assert system_servers(tmp_path / "absent") == [NameServer("127.0.0.1", 53, True)]


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        DnsOptions(timeout=0)
    with pytest.raises(ConfigurationError):
        DnsOptions(servers=("nonsense",))


async def test_a_silent_server_is_asked_last_until_its_pause_is_over() -> None:
    clock = FakeClock()
    async with serving(lambda _: None) as silent, serving(zone("x.test. 5 A 192.0.2.1")) as living:
        asking = resolver(silent, living, clock=clock, timeout=0.5)
        for _ in range(3):
            await asking.addresses("x.test", version=4)
            asking._cache.clear()
        assert len(silent.asked) == 1
        for waits, asked in ((6, 2), (6, 2), (6, 3)):  # its turn comes again, then after twice as long
            clock.advance(waits)
            await asking.addresses("x.test", version=4)
            asking._cache.clear()
            assert len(silent.asked) == asked


async def test_a_strangers_broken_domain_sets_no_server_aside() -> None:
    broken = zone(rcode=dns.rcode.SERVFAIL)
    async with serving(broken) as first, serving(broken) as second:
        asking = resolver(first, second)
        for number in range(5):
            with pytest.raises(DnsTemporary):
                await asking.txt(f"broken{number}.test")
        assert [len(first.asked), len(second.asked)] == [5, 5]
        assert [server.port for server in asking._health.order(asking._clock.monotonic())] == [first.port, second.port]


async def test_an_answer_outlives_its_time_while_nobody_answers_where_that_is_allowed() -> None:
    clock = FakeClock()
    answering: list[Reply] = [zone("x.test. 60 A 192.0.2.1")]
    async with serving(lambda query: answering[0](query)) as server:
        asking = resolver(server, clock=clock, timeout=0.5, stale=3600)
        await asking.addresses("x.test", version=4)
        answering[0] = lambda _: None
        clock.advance(61)
        answer = await asking.addresses("x.test", version=4)
        assert (answer.records, answer.dnssec) == ((ip_address("192.0.2.1"),), Dnssec.INSECURE)
        clock.advance(31)
        await asking.addresses("x.test", version=4)
        clock.advance(3600)
        with pytest.raises(DnsTemporary):
            await asking.addresses("x.test", version=4)


async def test_a_signed_answer_is_never_used_past_its_time() -> None:
    clock = FakeClock()
    answering: list[Reply] = [zone("x.test. 60 A 192.0.2.1", authentic=True)]
    async with serving(lambda query: answering[0](query)) as server:
        asking = resolver(server, clock=clock, timeout=0.5, stale=3600)
        assert (await asking.addresses("x.test", version=4)).dnssec is Dnssec.SECURE
        answering[0] = lambda _: None
        clock.advance(61)
        with pytest.raises(DnsTemporary):
            await asking.addresses("x.test", version=4)


async def test_a_host_stays_signed_when_one_of_its_two_questions_is_kept_from_an_answer() -> None:
    signed = zone("x.test. 60 A 192.0.2.1", authentic=True)

    def partly(query: dns.message.Message) -> dns.message.Message | bytes | None:
        return None if query.question[0].rdtype == dns.rdatatype.AAAA else signed(query)

    async with serving(partly) as server:
        answer = await resolver(server, timeout=0.5).addresses("x.test")
    assert answer.records == (ip_address("192.0.2.1"),)
    assert answer.dnssec is Dnssec.SECURE


async def test_a_bogus_answer_is_never_covered_by_an_old_one() -> None:
    clock = FakeClock()

    def bogus(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        response.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
        return response

    answering: list[Reply] = [zone("x.test. 60 A 192.0.2.1")]
    async with serving(lambda query: answering[0](query)) as server:
        asking = resolver(server, clock=clock, stale=3600)
        await asking.addresses("x.test", version=4)
        answering[0] = bogus
        clock.advance(61)
        with pytest.raises(DnsTemporary) as fault:
            await asking.addresses("x.test", version=4)
        assert fault.value.dnssec is Dnssec.BOGUS


async def test_a_flood_of_names_stays_within_the_bound_of_the_cache() -> None:
    async with serving(zone()) as server:
        asking = resolver(server, cache_entries=500, concurrency=50)

        async def ask(number: int) -> None:
            with contextlib.suppress(DnsNotFound, DnsTemporary):
                await asking.txt(f"n{number}.test")

        for start in range(0, 2_000, 500):
            await asyncio.gather(*(ask(number) for number in range(start, start + 500)))
        assert len(asking._cache) == 500
        assert not asking._under_way
