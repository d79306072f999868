"""`hongyan domain tls`: what other domains are held to, shown and forgotten; in English and in Chinese."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.local.storage import open_local_storage
from hongyan.engines.sql.transport import SqlTransport
from hongyan.queue.security import TlsLevel
from hongyan.store.transport import KeptLevel, KeptPolicy
from tests.support.cli import Cli

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.foxes.test\r\nmx: *.foxes.test\r\nmax_age: 604800\r\n"


@pytest.fixture
def known(cli: Cli) -> Cli:
    """A command line on data that know three domains."""

    async def fill() -> None:
        storage = await open_local_storage(cli.data)
        store = SqlTransport(storage.database)
        await store.put_level(KeptLevel("ducks.test", TlsLevel.TLS, TlsLevel.VERIFIED, NOW - DAY, NOW))
        await store.put_level(KeptLevel("swans.test", TlsLevel.PLAIN, TlsLevel.TLS, NOW - DAY, NOW - DAY))
        await store.put_level(KeptLevel("foxes.test", TlsLevel.VERIFIED, TlsLevel.VERIFIED, NOW, NOW))
        await store.put_policy(KeptPolicy("foxes.test", "20261123", POLICY, NOW, NOW + 7 * DAY, NOW))
        await storage.close()

    asyncio.run(fill())
    return cli


def test_all_domains_are_listed_or_one(known: Cli) -> None:
    listed = known.json("domain", "tls")["domains"]
    assert [(one["domain"], one["level"]) for one in listed] == [
        ("ducks.test", "tls"),
        ("foxes.test", "verified"),
        ("swans.test", "plain"),
    ]
    assert listed[1]["policy"] == {
        "id": "20261123",
        "mode": "enforce",
        "hosts": ["mx.foxes.test", "*.foxes.test"],
        "fetched_at": NOW.isoformat(),
        "expires_at": (NOW + 7 * DAY).isoformat(),
    }
    assert known.json("domain", "tls", "ducks.test")["domains"] == listed[:1]
    assert known.json("domain", "tls", "Nobody.test")["domains"] == []


def test_a_domain_is_forgotten_with_its_policy(known: Cli) -> None:
    assert known.json("domain", "tls", "foxes.test", "--forget", "--dry-run")["dry_run"] is True
    assert len(known.json("domain", "tls")["domains"]) == 3
    assert known.json("domain", "tls", "Foxes.test", "--forget") == {"domain": "foxes.test"}
    assert [one["domain"] for one in known.json("domain", "tls")["domains"]] == ["ducks.test", "swans.test"]
    assert known("domain", "tls", "foxes.test", "--forget").code == 1
    assert known("domain", "tls", "--forget").code == 2


def test_it_speaks_both_languages(known: Cli) -> None:
    chinese = "zh_CN.UTF-8"
    english, translated = known("domain", "tls").out, known("domain", "tls", language=chinese).out
    for words in ("TLS with a valid certificate", "nothing yet", "enforce"):
        assert words in english
    for words in ("TLS 及有效证书", "尚无", "失效时间"):
        assert words in translated
    assert known("domain", "tls", "none.test").out == "Nothing is remembered.\n"
    assert known("domain", "tls", "foxes.test", "--forget").out == "foxes.test is forgotten.\n"
    assert "没有为该域名记住" in known("domain", "tls", "foxes.test", "--forget", language=chinese).err
    assert "请指定要清除记录的域名" in known("domain", "tls", "--forget", language=chinese).err
