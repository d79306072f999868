"""The throw-away PostgreSQL that the contract suites run on."""

from __future__ import annotations

import asyncpg

from tests.support.postgres import PostgresCluster


async def test_a_test_has_an_empty_database_of_its_own(postgres_dsn: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        await connection.execute("CREATE TABLE t (octets bytea)")
    finally:
        await connection.close()


async def test_the_database_is_reached_over_tcp_as_well(postgres_cluster: PostgresCluster) -> None:
    connection = await asyncpg.connect(postgres_cluster.tcp_dsn("postgres"))
    try:
        assert await connection.fetchval("SELECT 1") == 1
    finally:
        await connection.close()
