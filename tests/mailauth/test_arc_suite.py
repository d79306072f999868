"""ARC against the scenarios of the ARC test suite (ValiMail's arc_test_suite)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import yaml

from hongyan.mailauth.arc import ArcResult, ArcStatus, ArcVerifier
from tests.support.resolver import FakeResolver
from tests.support.testdata import case_files, crlf

NOW = datetime(2017, 1, 6, tzinfo=UTC)

# The suite leaves the result empty where the chain is sealed as failed: no further seal is to be added.
STATUSES = {"None": ArcStatus.NONE, "Pass": ArcStatus.PASS, "Fail": ArcStatus.FAIL, "": ArcStatus.FAIL}


def scenarios() -> Iterator[tuple[FakeResolver, yaml.MappingNode]]:
    (file,) = case_files("arc-validation", "arc-draft-validation-tests.yml")
    for document in yaml.compose_all(file.read_text()):
        if isinstance(document, yaml.MappingNode):
            parts = {name.value: node for name, node in document.value}
            resolver = FakeResolver()
            for name, text in parts["txt-records"].value:
                resolver.add_txt(name.value, text.value)
            yield resolver, parts["tests"]


def cases() -> Iterator[tuple[str, dict[str, str], FakeResolver]]:
    """Nodes are read, not dictionaries: some names come twice, and each is a case."""
    for resolver, tests in scenarios():
        for name, case in tests.value:
            yield name.value, {key.value: value.value for key, value in case.value}, resolver


async def validate(octets: bytes, resolver: FakeResolver, chunk: int) -> ArcResult:
    header, _, body = octets.partition(b"\r\n\r\n")
    verifier = ArcVerifier(header + b"\r\n", NOW)
    for start in range(0, len(body), chunk):
        verifier.update(body[start : start + chunk])
    return await verifier.finish(resolver)


async def test_each_chain_of_the_suite_gets_the_expected_status(count_cases: Callable[[str, int], None]) -> None:
    count = 0
    for name, case, resolver in cases():
        octets = crlf(case["message"].encode())
        found = await validate(octets, resolver, chunk=len(octets) + 1)
        assert found == await validate(octets, resolver, chunk=1), name
        assert found.status is STATUSES[case["cv"].strip()], (name, found)
        assert bool(found.reason) == (found.status is ArcStatus.FAIL), name
        count += 1
    count_cases("arc-validation", count)


async def test_a_message_that_changed_after_its_first_seal_says_since_when_it_did_not() -> None:
    found = {name: await validate(crlf(case["message"].encode()), dns, 4096) for name, case, dns in cases()}
    assert found["cv_pass_i5_1"].oldest_pass == 0
    assert found["cv_pass_i5_1"].domains == ("example.org",) * 5
    changed = found["cv_pass_i2_1_ams1_invalid"]
    assert (changed.instance, changed.oldest_pass) == (2, 2)


async def test_chains_that_other_programs_sealed_pass(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("dkim-mailauth", "arc/*.txt")
    for file in files:
        records, _, octets = file.read_bytes().partition(b"\n\n")
        resolver = FakeResolver()
        for line in records.decode().splitlines():
            resolver.add_txt(*line.split(" ", 1))
        found = await validate(crlf(octets), resolver, 4096)
        assert (found.status, found.reason) == (ArcStatus.PASS, ""), file.name
        assert len(found.hops) == found.instance, file.name
    count_cases("dkim-mailauth", len(files))
