"""Which emails are found, in which order, and what became of a result (RFC 8621 §4.4, §4.5, §5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio

from tests.support.jmap import JmapClient

_MAIL: dict[str, dict[str, Any]] = {
    "a": {"subject": "Apples", "from": "zoe", "text": "red fruit <b>", "at": "2026-01-01T00:00:00Z"},
    "b": {
        "subject": "Re: Bread",
        "from": "ann",
        "text": "flour " * 90,
        "at": "2026-01-02T00:00:00Z",
        "key": "$flagged",
    },
    "c": {"subject": "北京会议", "from": "max", "text": "会议记录在附件里", "at": "2026-01-03T00:00:00Z", "file": True},
    "d": {"subject": "Cheese", "from": "bob", "text": "apples too", "at": "2026-01-04T00:00:00Z", "key": "work"},
}


def _message(of: dict[str, Any]) -> dict[str, Any]:
    email = {
        "from": [{"email": f"{of['from']}@else.test"}],
        "subject": of["subject"],
        "receivedAt": of["at"],
        "textBody": [{"partId": "t"}],
        "bodyValues": {"t": {"value": of["text"]}},
        "header:X-Mark:asText": f"mark {of['from']}",
    }
    if "key" in of:
        email["keywords"] = {of["key"]: True}
    if of.get("file"):
        email["attachments"] = [{"partId": "t", "type": "text/plain", "name": "a.txt", "disposition": "attachment"}]
    return email


@pytest_asyncio.fixture
async def ids(ann: JmapClient) -> dict[str, str]:
    inbox = (await ann.mailboxes())["Inbox"]["id"]
    create = {key: _message(of) | {"mailboxIds": {inbox: True}} for key, of in _MAIL.items()}
    made = (await ann.call("Email/set", create=create))["created"]
    return {key: record["id"] for key, record in made.items()}


async def _found(ann: JmapClient, ids: dict[str, str], **arguments: Any) -> str:
    names = {made: key for key, made in ids.items()}
    return "".join(names[one] for one in (await ann.call("Email/query", **arguments))["ids"])


_FILTERS: list[tuple[Any, str]] = [
    (None, "dcba"),
    ({}, "dcba"),
    ({"subject": "apples"}, "a"),
    ({"text": "APPLES"}, "da"),
    ({"body": "会议"}, "c"),
    ({"text": '"red fruit"'}, "a"),
    ({"text": "fruit red"}, "a"),
    ({"text": '"fruit red"'}, ""),
    ({"from": "max"}, "c"),
    ({"header": ["X-Mark"]}, "dcba"),
    ({"header": ["x-mark", "zoe"]}, "a"),
    ({"header": ["Subject", "bread"]}, "b"),
    ({"header": ["X-Nothing"]}, ""),
    ({"hasKeyword": "$Flagged"}, "b"),
    ({"notKeyword": "$flagged"}, "dca"),
    ({"hasKeyword": "WORK"}, "d"),
    ({"hasAttachment": True}, "c"),
    ({"hasAttachment": False}, "dba"),
    ({"before": "2026-01-02T00:00:00Z"}, "a"),
    ({"after": "2026-01-03T00:00:00Z"}, "dc"),
    ({"minSize": 10}, "dcba"),
    ({"maxSize": 10}, ""),
    ({"someInThreadHaveKeyword": "work"}, "d"),
    ({"allInThreadHaveKeyword": "work"}, "d"),
    ({"noneInThreadHaveKeyword": "work"}, "cba"),
    ({"inMailbox": "F1"}, "dcba"),
    ({"inMailbox": "F99"}, ""),
    ({"inMailboxOtherThan": ["F1"]}, ""),
    ({"operator": "NOT", "conditions": [{"subject": "apples"}, {"hasKeyword": "work"}]}, "cb"),
    ({"operator": "OR", "conditions": [{"subject": "apples"}, {"hasKeyword": "work"}]}, "da"),
    ({"operator": "AND", "conditions": [{"text": "apples"}, {"notKeyword": "work"}]}, "a"),
    ({"text": "apples", "hasKeyword": "work"}, "d"),
]


async def test_filters_find_what_they_say(ann: JmapClient, ids: dict[str, str]) -> None:
    for given, expected in _FILTERS:
        assert await _found(ann, ids, filter=given) == expected, given


async def test_emails_are_sorted_by_what_is_asked_for(ann: JmapClient, ids: dict[str, str]) -> None:
    sorts: list[tuple[list[dict[str, Any]], str]] = [
        ([{"property": "receivedAt"}], "abcd"),
        ([{"property": "receivedAt", "isAscending": False}], "dcba"),
        ([{"property": "subject"}], "abdc"),
        ([{"property": "from"}], "bdca"),
        ([{"property": "from", "isAscending": False}], "acdb"),
        ([{"property": "size", "isAscending": False}], "bcda"),
        ([{"property": "hasKeyword", "keyword": "work", "isAscending": False}, {"property": "receivedAt"}], "dabc"),
        ([{"property": "someInThreadHaveKeyword", "keyword": "$flagged", "isAscending": False}], "bdca"),
    ]
    for sort, expected in sorts:
        found = await _found(ann, ids, sort=sort)
        if sort[0]["property"] == "size":
            sizes = {one["id"]: one["size"] for one in (await ann.call("Email/get", ids=list(ids.values())))["list"]}
            expected = "".join(sorted(ids, key=lambda key: (-sizes[ids[key]], key)))
        assert found == expected, sort


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"filter": {"colour": "red"}}, "unsupportedFilter"),
        ({"filter": {"hasKeyword": "a b"}}, "invalidArguments"),
        ({"filter": {"before": "yesterday"}}, "invalidArguments"),
        ({"filter": {"text": " ".join(f"w{n}" for n in range(60))}}, "unsupportedFilter"),
        ({"sort": [{"property": "colour"}]}, "unsupportedSort"),
        ({"sort": [{"property": "subject", "collation": "i;nothing"}]}, "unsupportedSort"),
        ({"anchor": "M1"}, "anchorNotFound"),
    ],
)
async def test_what_cannot_be_asked_is_refused(ann: JmapClient, asked: dict[str, Any], kind: str) -> None:
    assert (await ann.error("Email/query", **asked))["type"] == kind


async def test_pages_are_parts_of_the_whole(ann: JmapClient, ids: dict[str, str]) -> None:
    assert await _found(ann, ids, position=1, limit=2) == "cb"
    assert await _found(ann, ids, position=-1) == "a"
    assert await _found(ann, ids, position=9) == ""
    assert await _found(ann, ids, anchor=ids["b"], anchorOffset=-1, limit=2) == "cb"
    told = await ann.call("Email/query", limit=1, calculateTotal=True)
    assert (told["total"], len(told["ids"]), told["position"]) == (4, 1, 0)


async def test_of_a_thread_the_first_stands_for_all(ann: JmapClient, ids: dict[str, str]) -> None:
    (first,) = (await ann.call("Email/get", ids=[ids["d"]], properties=["messageId", "threadId"]))["list"]
    answer = _message({"subject": "Re: Cheese", "from": "eve", "text": "yes", "at": "2026-01-05T00:00:00Z"})
    answer |= {"mailboxIds": {"F1": True}, "inReplyTo": first["messageId"], "keywords": {"$seen": True}}
    made = (await ann.call("Email/set", create={"e": answer}))["created"]["e"]
    assert made["threadId"] == first["threadId"]
    names = ids | {"e": made["id"]}
    assert await _found(ann, names, collapseThreads=True) == "ecba"
    assert await _found(ann, names, collapseThreads=True, sort=[{"property": "receivedAt"}]) == "abcd"
    told = await ann.call("Email/query", collapseThreads=True, calculateTotal=True, limit=1)
    assert told["total"] == 4
    assert await _found(ann, names, filter={"someInThreadHaveKeyword": "work"}) == "ed"
    assert await _found(ann, names, filter={"allInThreadHaveKeyword": "work"}) == ""
    (thread,) = (await ann.call("Thread/get", ids=[made["threadId"]]))["list"]
    assert thread["emailIds"] == [ids["d"], made["id"]]


async def test_what_became_of_a_result_makes_the_new_one_of_the_old(ann: JmapClient, ids: dict[str, str]) -> None:
    """Each step is checked against the whole query: removed from the old, then added, it is the new."""
    questions: list[dict[str, Any]] = [
        {},
        {"filter": {"notKeyword": "$seen"}},
        {"sort": [{"property": "hasKeyword", "keyword": "$seen", "isAscending": False}, {"property": "subject"}]},
        {"collapseThreads": True, "filter": {"inMailbox": "F1"}},
    ]
    known = [await ann.call("Email/query", **asked) for asked in questions]
    more = _message({"subject": "Dates", "from": "kim", "text": "x", "at": "2026-01-02T12:00:00Z"})
    steps: list[dict[str, Any]] = [
        {"update": {ids["c"]: {"keywords/$seen": True}, ids["a"]: {"keywords/$seen": True}}},
        {"create": {"m": more | {"mailboxIds": {"F1": True}}}},
        {"destroy": [ids["b"]], "update": {ids["a"]: {"keywords/$seen": None}}},
        {"update": {ids["d"]: {"mailboxIds": {"F2": True}}}},
    ]
    for step in steps:
        await ann.call("Email/set", **step)
        for n, asked in enumerate(questions):
            before, after = known[n], await ann.call("Email/query", **asked)
            told = await ann.call("Email/queryChanges", sinceQueryState=before["queryState"], **asked)
            result = [one for one in before["ids"] if one not in told["removed"]]
            for added in told["added"]:
                result.insert(added["index"], added["id"])
            assert result == after["ids"], (step, asked, told)
            known[n] = after
    error = await ann.error("Email/queryChanges", sinceQueryState="s1", filter={"subject": "never asked"})
    assert error["type"] == "cannotCalculateChanges"


async def test_snippets_are_marked_and_nothing_else_in_them_is_html(ann: JmapClient, ids: dict[str, str]) -> None:
    told = await ann.call("SearchSnippet/get", filter={"text": "fruit"}, emailIds=[ids["a"], ids["b"], "M1"])
    first, second = told["list"]
    assert first == {"emailId": ids["a"], "subject": None, "preview": "red <mark>fruit</mark> &lt;b&gt;"}
    assert (second["subject"], second["preview"]) == (None, None)
    assert told["notFound"] == ["M1"]
    told = await ann.call("SearchSnippet/get", filter={"text": "会议"}, emailIds=[ids["c"]])
    assert told["list"][0]["subject"] == "北京<mark>会议</mark>"
    told = await ann.call("SearchSnippet/get", filter={"body": "flour"}, emailIds=[ids["b"]])
    assert len(told["list"][0]["preview"].encode()) <= 255, json.dumps(told)
