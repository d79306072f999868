"""Mutants of reading messages: depth, numbers, sizes; and of what reaches the log."""

from __future__ import annotations

__all__ = ["MUTANTS"]

import re

from tests.mutants import Change, Constant, Mutant

_BOMBS = "MIME bombs"
_SECRETS = "secrets and logs"
_ADDRESSES = "homographs"

_HOSTILE = "tests/message/test_hostile.py::"
_PARTS = "hongyan.message.parts:_Scan."


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "parts-nest-without-end",
        _BOMBS,
        Change(f"{_PARTS}_add", "(len(self._chain) >= MAX_DEPTH or len(self._parts) >= MAX_PARTS)", "False"),
        f"{_HOSTILE}test_nesting_beyond_the_cap_is_shown_flat",
    ),
    _mutant(
        "parts-without-number",
        _BOMBS,
        Change(f"{_PARTS}run", "if not closing and len(self._parts) >= MAX_PARTS:", "if False:"),
        f"{_HOSTILE}test_parts_beyond_the_cap_belong_to_the_last",
    ),
    _mutant(
        "delimiters-without-number",
        _BOMBS,
        Change(f"{_PARTS}_find_delimiter", "if self._budget < 0:", "if False:"),
        f"{_HOSTILE}test_almost_delimiters_are_looked_at_so_often_and_no_more",
    ),
    _mutant(
        "parameters-without-number",
        _BOMBS,
        Change("hongyan.message.parameters:_parse_parameters", "if len(parameters) >= MAX_PARAMETERS:", "if False:"),
        f"{_HOSTILE}test_parameters_beyond_the_cap_are_passed_over",
    ),
    _mutant(
        "header-of-any-size",
        _BOMBS,
        Change("hongyan.message.headers:split_fields", "if len(block) > MAX_HEADER:", "if False:"),
        f"{_HOSTILE}test_fields_beyond_the_caps_are_served_and_not_read",
    ),
    _mutant(
        "fields-without-number",
        _BOMBS,
        Change(
            "hongyan.message.headers:split_fields",
            "_FIELD_END.split(block, MAX_FIELDS)",
            "_FIELD_END.split(block)[:-1]",
        ),
        f"{_HOSTILE}test_fields_beyond_the_caps_are_served_and_not_read",
    ),
    _mutant(
        "values-of-any-size",
        _BOMBS,
        Change("hongyan.message.headers:unfold", "value = value[:MAX_VALUE]", "pass"),
        f"{_HOSTILE}test_fields_beyond_the_caps_are_served_and_not_read",
    ),
    _mutant(
        "addresses-without-number",
        _BOMBS,
        Change("hongyan.message.address_list:parse_address_list", "if len(addresses) >= MAX_ADDRESSES:", "if False:"),
        "tests/message/test_address_list.py::test_more_addresses_than_the_cap_are_passed_over",
    ),
    _mutant(
        "text-of-any-size",
        _BOMBS,
        Change("hongyan.message.text:message_text", "_header(part, served), limit)", "_header(part, served), 1 << 30)"),
        "tests/message/test_text.py::test_texts_of_all_parts_are_searched_up_to_the_limit",
    ),
    _mutant(
        "log-lines-are-forged",
        _SECRETS,
        Constant("hongyan.telemetry.event:_UNSAFE", re.compile("(?!)")),
        "tests/test_telemetry.py::test_no_octet_of_a_peer_forges_a_line_or_moves_the_cursor",
    ),
    _mutant(
        "log-shows-secrets",
        _SECRETS,
        Constant("hongyan.telemetry.event:_SECRET_KEYS", frozenset()),
        "tests/test_telemetry.py::test_secrets_are_never_written",
    ),
    _mutant(
        "log-values-of-any-size",
        _SECRETS,
        Constant("hongyan.telemetry.event:_MAX_TEXT", 1 << 30),
        "tests/test_telemetry.py::test_long_values_are_cut",
    ),
    _mutant(
        "secrets-print",
        _SECRETS,
        Change("hongyan.secret:Secret.__repr__", "return _MASK", "return self._octets.decode()"),
        "tests/auth/test_login.py::test_secrets_print_as_stars",
    ),
    _mutant(
        "look-alikes-are-ascii-users",
        _ADDRESSES,
        Change(
            "hongyan.addresses:_read_local_part",
            'raise AddressFault("The local part is an ASCII name in disguise")',
            "pass",
        ),
        "tests/test_addresses.py::test_a_look_alike_does_not_become_an_ascii_user",
    ),
)
