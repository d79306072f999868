"""A service's life: it comes up the same a second time, drains when it is told to, and tells how it is."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import smtplib
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config, Service
from tests.support.lines import PATIENCE
from tests.support.server import SECRET, Server, in_thread, start_demo, start_server


async def test_a_second_start_finds_the_mail_of_the_first(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        await server.bring("ann@hongyan.test")
        first = await (await server.imap("ann")).command("s", "SELECT INBOX")
    async with start_server(tmp_path / "data") as server:
        second = await (await server.imap("ann")).command("s", "SELECT INBOX")
    told = [line for line in first if b"UIDVALIDITY" in line or b"UIDNEXT" in line or b"EXISTS" in line]
    assert len(told) == 3
    assert set(told) <= set(second)


async def test_a_drain_says_farewell_and_lets_a_message_under_way_come_to_its_end(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        imap = await server.imap("ann")
        smtp = await server.connect("smtp")
        await smtp.reply()
        for line in ("EHLO elsewhere.test", "MAIL FROM:<a@elsewhere.test>", "RCPT TO:<ann@hongyan.test>", "DATA"):
            smtp.say(line)
            reply = await smtp.reply()
        assert reply.startswith(b"354")
        drain = asyncio.create_task(server.app.front.drain(PATIENCE))
        assert (await imap.ended())[-1].startswith(b"* BYE")
        smtp.say("From: a@elsewhere.test\r\nSubject: late\r\n\r\nbut not lost\r\n.")
        assert (await smtp.reply()).startswith(b"250")
        await smtp.ended()
        await drain
    async with start_server(tmp_path / "data") as server:
        assert b"* 1 EXISTS" in await (await server.imap("ann")).command("s", "SELECT INBOX")


async def test_a_data_directory_is_used_by_one_process_at_a_time(server: Server) -> None:
    from hongyan.engines.directory import DirectoryInUse

    with pytest.raises(DirectoryInUse, match=str(os.getpid())):
        async with start_server(Path(server.app.config.server.data)):
            pass


async def test_health_and_metrics_are_told_over_http_and_https(server: Server) -> None:
    def ask(service: str, path: str) -> bytes:
        context = server.tls if service == "https" else None
        url = f"{service}://localhost:{server.app.endpoints[service].port}{path}"  # type: ignore[index]
        with urllib.request.urlopen(url, context=context, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    health = json.loads(await in_thread(lambda: ask("https", "/healthz")))
    assert health["status"] == "ok"
    assert health["parts"].keys() == {*server.app.endpoints, "database"}
    pop3 = await server.connect("pop3s")
    for line in ("USER ann@hongyan.test", f"PASS {SECRET}"):
        await pop3.line()
        pop3.say(line)
    assert (await pop3.line()).startswith(b"+OK 0 messages")
    told = await in_thread(lambda: ask("http", "/metrics"))
    assert b"hongyan_connections_total" in told
    assert b'hongyan_pop3_connections{state="authenticated"} 1.0' in told
    assert b'hongyan_pop3_command_duration_seconds_count{cmd="pass",result="ok"}' in told


async def test_the_policy_on_tls_is_served_for_domains_of_ours_over_https_alone(tmp_path: Path) -> None:
    def enforce(config: Config) -> Config:
        return replace(config, web=replace(config.web, mta_sts="enforce"))

    async with start_server(tmp_path / "data", change=enforce) as server:

        def ask(service: Service, host: str) -> tuple[int, bytes]:
            context = server.tls if service == "https" else None
            url = f"{service}://localhost:{server.app.endpoints[service].port}/.well-known/mta-sts.txt"
            request = urllib.request.Request(url, headers={"Host": host})
            try:
                with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:
                    return int(answer.status), bytes(answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, b""

        status, policy = await in_thread(lambda: ask("https", "mta-sts.hongyan.test"))
        assert (status, policy[:15]) == (200, b"version: STSv1\r")
        assert b"mode: enforce\r\nmx: mail.hongyan.test\r\n" in policy
        for service, host in (("http", "mta-sts.hongyan.test"), ("https", "mta-sts.elsewhere.test")):
            assert (await in_thread(functools.partial(ask, service, host)))[0] in (404, 421)


def test_a_demonstration_tells_all_that_a_program_needs_and_ends_with_its_pipe() -> None:
    with start_demo("--account", f"ann@hongyan.test={SECRET}", "--accounts", "3", "--secret", SECRET) as demo:
        told = demo.told
        assert told.keys() == {
            *("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "http", "https", "jmap"),
            *("submissions-certificate", "imaps-certificate", "pop3s-certificate"),
            *("metrics", "ca", "data", "pid", "domain", "accounts"),
        }
        addresses = [account["address"] for account in told["accounts"]]
        assert addresses == [f"{name}@hongyan.test" for name in ("admin", "user", "ann", "u000", "u001", "u002")]
        assert told["accounts"][2] == {
            "address": "ann@hongyan.test",
            "password": SECRET,
            "app_password": SECRET,
            "role": "user",
        }
        with smtplib.SMTP(*demo.endpoint("smtp")) as smtp:
            smtp.sendmail("a@elsewhere.test", ["u000@hongyan.test"], b"From: a@elsewhere.test\r\n\r\nHonk.\r\n")
        folder = Path(told["data"])
        assert folder.is_dir()
    assert demo.process.returncode == 0
    assert not folder.exists()


def test_a_demonstration_ends_on_sigterm_and_comes_up_the_same_where_its_data_are_kept(tmp_path: Path) -> None:
    with start_demo("--data", str(tmp_path / "kept")) as demo:
        first = demo.told["accounts"]
        assert demo.stop(signal.SIGTERM) == 0
    assert (tmp_path / "kept" / "accounts.json").stat().st_mode & 0o077 == 0
    with start_demo("--data", str(tmp_path / "kept")) as demo:
        assert demo.told["accounts"] == first
