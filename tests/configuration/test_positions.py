"""Each key of a TOML file is found on its line, however the file is written."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from hongyan.configuration.positions import KeyPath, find_line, find_lines

TEXT = """\
# a comment with [brackets] and "quotes"
top = 1

[server]   # the first
hostname = "a # b [c]"
"quoted key" = 'x'
dotted.inner.deep = true
long = \"\"\"
[not.a.table]
key = 1
\"\"\"
literal = '''
it''s 'quoted'''''

[[certificates]]
chain = "a"

[[certificates]]
chain = "b"
[certificates.more]
key = 1

[listen.smtp]
hosts = [  # a list
    "::",
    "0.0.0.0",
]
proxy = { networks = ["a", "b"], direct = false }
"""


def paths_in(value: object, path: KeyPath = ()) -> list[KeyPath]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths_in(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths_in(inner, (*path, index))
    return found


def test_every_key_of_a_file_has_its_line() -> None:
    lines = find_lines(TEXT)
    assert set(paths_in(tomllib.loads(TEXT))) <= set(lines)
    assert lines["top",] == 2
    assert lines["server", "hostname"] == 5
    assert lines["server", "quoted key"] == 6
    assert lines["server", "dotted", "inner", "deep"] == 7
    assert lines["server", "literal"] == 12
    assert lines["certificates", 0, "chain"] == 16
    assert lines["certificates", 1, "chain"] == 19
    assert lines["certificates", 1, "more", "key"] == 21
    assert lines["listen", "smtp", "hosts", 1] == 26
    assert lines["listen", "smtp", "proxy", "direct"] == 28


def test_what_is_not_there_is_looked_for_where_it_would_stand() -> None:
    lines = find_lines(TEXT)
    assert find_line(lines, ("listen", "smtp", "port")) == 23
    assert find_line(lines, ("nowhere", "at all")) == 1


words = st.text("abcxyz-_09", min_size=1, max_size=6)
scalars = st.one_of(
    st.integers().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text("ab #[]{}=,'.", max_size=8).map(lambda text: f'"{text}"'),
    st.just("1979-05-27 07:32:00"),
    st.just('"""\nx = 1\n[y]\n"""'),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ " + ", # one\n ".join(items) + "\n]" if items else "[]"),
        st.dictionaries(words, scalars.filter(lambda text: "\n" not in text), max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
        ),
    ),
    max_leaves=5,
)


@given(st.dictionaries(words, st.dictionaries(words, values, max_size=4), max_size=4))
def test_any_file_is_walked_to_its_end(tables: dict[str, dict[str, str]]) -> None:
    lines: list[str] = []
    expected: dict[KeyPath, int] = {}
    for name, pairs in tables.items():
        lines.append(f"[{name}]")
        expected[name,] = len("\n".join(lines).split("\n"))
        for key, value in pairs.items():
            expected[name, key] = len("\n".join(lines).split("\n")) + 1
            lines.append(f"{key} = {value}")
    text = "\n".join(lines) + "\n"
    found = find_lines(text)
    assert {path: found[path] for path in expected} == expected
    assert set(paths_in(tomllib.loads(text))) <= set(found)
