"""Fields of a header block, found in two ways that must agree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.headers import field_finder, select_fields


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"From", b"to", b"SUBJECT", b"X-From", b"Date ", b"Dated", b"fr om", b"", b"To\t"]),
            st.lists(st.sampled_from([b"a", b":", b" ", b"\r\n b: c", b"\r\n\tTo: x", b"\x0b", b"\xe4"]), max_size=5),
        ),
        max_size=6,
    )
)
def test_a_compiled_selection_finds_what_the_plain_one_finds(fields: list[tuple[bytes, list[bytes]]]) -> None:
    stored = b"".join(name + b":" + b"".join(value) + b"\r\n" for name, value in fields)
    wanted = frozenset({b"from", b"to", b"date"})
    assert field_finder(wanted)(stored) == select_fields(stored, wanted)
