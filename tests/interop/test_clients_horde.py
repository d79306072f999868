"""Horde's IMAP client of PHP: what webmails and groupware written in PHP stand on.

UTF8=ACCEPT it is told to leave alone: with it, it sends whole messages as quoted strings when it stores them.
"""

from __future__ import annotations

import json

import pytest

from tests.support import debian
from tests.support.clients import Office, Owner, letters

pytestmark = pytest.mark.interop

PACKAGES = ("php-cli", "php-horde-imap-client")
EXTENSIONS = ("ctype", "iconv", "posix", "tokenizer")
BEGIN = r"""<?php
error_reporting(E_ALL & ~E_DEPRECATED);
spl_autoload_register(function ($class) { @include_once strtr($class, '_\\', '//') . '.php'; });
[, $port, $user, $secret, $ca, $other] = $argv;
function connect($more = []) {
    global $port, $user, $secret, $ca;
    $client = new Horde_Imap_Client_Socket(['hostspec' => 'localhost', 'port' => (int)$port, 'username' => $user,
        'password' => $secret, 'secure' => 'ssl', 'context' => ['ssl' => ['cafile' => $ca]], 'timeout' => 20] + $more);
    $client->login();
    return $client;
}
function tell($what) { echo json_encode($what, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n"; }
function uids($found) { return $found->ids; }
$cache = new Horde_Imap_Client_Cache_Backend_Null();
$client = connect(['cache' => ['backend' => $cache], 'capability_ignore' => ['UTF8']]);
"""

MAIL = r"""
$client->openMailbox('INBOX', Horde_Imap_Client::OPEN_READWRITE);
$found = $client->search('INBOX', null, ['sort' => [Horde_Imap_Client::SORT_REVERSE, Horde_Imap_Client::SORT_SUBJECT]]);
tell([uids($found['match']), $found['count']]);
$query = new Horde_Imap_Client_Search_Query();
$query->headerText('subject', 'two');
$options = ['results' => [Horde_Imap_Client::SEARCH_RESULTS_COUNT, Horde_Imap_Client::SEARCH_RESULTS_MIN,
    Horde_Imap_Client::SEARCH_RESULTS_MATCH, Horde_Imap_Client::SEARCH_RESULTS_SAVE]];
$found = $client->search('INBOX', $query, $options);
tell([$found['count'], $found['min'], $found['save']]);
$saved = new Horde_Imap_Client_Ids(Horde_Imap_Client_Ids::SEARCH_RES);
$client->store('INBOX', ['add' => ['\\flagged'], 'ids' => $saved]);
$thread = $client->thread('INBOX', ['criteria' => Horde_Imap_Client::THREAD_REFS]);
tell(count($thread->messageList()));
$token = $client->getSyncToken('INBOX');
$query = new Horde_Imap_Client_Fetch_Query();
$query->envelope(); $query->structure(); $query->flags(); $query->modseq();
$query->bodyPart('1', ['decode' => true, 'peek' => true]);
foreach ($client->fetch('INBOX', $query) as $row)
    tell([$row->getUid(), $row->getEnvelope()->subject, $row->getStructure()->getType(), $row->getFlags(),
        $row->getBodyPart('1'), $row->getModSeq() > 0]);
tell($client->append('INBOX', [['data' => "Subject: four\r\n\r\nHonk.\r\n", 'flags' => ['\\seen']],
    ['data' => "Subject: five\r\n\r\nHonk.\r\n"]])->ids);
tell($client->copy('INBOX', 'Archive', ['ids' => new Horde_Imap_Client_Ids([1]), 'force_map' => true]));
tell($client->copy('INBOX', 'Archive', ['ids' => new Horde_Imap_Client_Ids([3]), 'move' => true, 'force_map' => true]));
$client->store('INBOX', ['add' => ['\\deleted'], 'ids' => new Horde_Imap_Client_Ids([1])]);
tell(uids($client->expunge('INBOX', ['ids' => new Horde_Imap_Client_Ids([1]), 'list' => true])));
$sync = $client->sync('INBOX', $token);
tell([uids($sync->newmsgsuids), uids($sync->flagsuids), uids($sync->vanisheduids)]);
$client->shutdown();
"""

MAILBOXES = r"""
$client->createMailbox('工作');
$list = $client->listMailboxes('*', Horde_Imap_Client::MBOX_SUBSCRIBED_EXISTS, ['attributes' => true,
    'special_use' => true, 'status' => Horde_Imap_Client::STATUS_MESSAGES | Horde_Imap_Client::STATUS_UNSEEN]);
foreach ($list as $name => $one) tell([$name, $one['status']['messages'], $one['attributes']]);
tell(array_keys($client->statusMultiple(['INBOX', 'Archive'], Horde_Imap_Client::STATUS_MESSAGES)));
$client->setMetadata('Archive', ['/private/comment' => 'mine', '/shared/comment' => '雁']);
tell($client->getMetadata('Archive', ['/private/comment', '/shared/comment']));
$client->setACL('Archive', $other, ['rights' => 'lrs']);
tell(array_map('strval', $client->getACL('Archive')));
tell([strval($client->getMyACLRights('Archive')), $client->listACLRights('Archive', $other)->current() !== null]);
$client->deleteACL('Archive', $other);
tell($client->getQuotaRoot('INBOX'));
tell($client->getID()['name']);
tell(array_keys(iterator_to_array($client->getNamespaces([], ['ob_return' => true]))));
$client->renameMailbox('工作', '鸿雁');
$client->deleteMailbox('鸿雁');
$client->shutdown();
"""


SHOWN = r"""
$client->openMailbox('INBOX', Horde_Imap_Client::OPEN_READWRITE);
$found = $client->search('INBOX', null, ['sort' => [Horde_Imap_Client::SORT_DISPLAYFROM]]);
tell(uids($found['match']));
$query = new Horde_Imap_Client_Search_Query();
$query->text('honked loudly', true, false, ['fuzzy' => true]);
tell(uids($client->search('INBOX', $query)['match']));
$client->shutdown();
"""


def run(office: Office, owner: Owner, port: int, script: str, other: str = "") -> list[object]:
    """Run a script; return what it told, one value a line."""
    root = debian.require(*PACKAGES)
    (extensions,) = root.glob("usr/lib/php/20*")
    there = [name for name in EXTENSIONS if (extensions / f"{name}.so").exists()]
    settings = [f"include_path={root}/usr/share/php", f"extension_dir={extensions}"]
    settings += [f"extension={name}" for name in there]
    options = ["-n", *(word for setting in settings for word in ("-d", setting))]
    file = office.write("script.php", BEGIN + script)
    arguments = (str(port), owner.address, owner.secret, office.authority, other)
    return [json.loads(line) for line in office.run(PACKAGES, "php8.2", *options, file, *arguments).splitlines()]


def test_horde_sorts_searches_threads_copies_moves_and_resynchronises(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three"))
    with office.tap() as tap:
        told = run(office, owner, tap.port, MAIL)
        said = tap.commands
        parts_of_append = [line for line in tap.lines if line.startswith(" {")]
    assert told == [
        [[2, 3, 1], "3"],
        ["1", "2", True],
        3,
        [1, "one", "text/plain", [], "Honk.\r\n", True],
        [2, "two", "text/plain", ["\\flagged"], "Honk.\r\n", True],
        [3, "three", "text/plain", [], "Honk.\r\n", True],
        [4, 5],
        {"1": 1},
        {"3": 2},
        [1],
        [[4, 5], [4, 5], [1, 3]],
    ]
    assert said[1:9] == [
        "ENABLE QRESYNC",
        "SELECT INBOX",
        "UID SORT RETURN (ALL COUNT) (REVERSE SUBJECT) US-ASCII ALL",
        "UID SEARCH RETURN (COUNT MIN ALL SAVE) SUBJECT two",
        "UID STORE $ +FLAGS \\flagged",
        "UID THREAD REFS US-ASCII ALL",
        "UID SEARCH RETURN (ALL SAVE COUNT) UID 1:*",
        "UID FETCH 1:3 (ENVELOPE BODYSTRUCTURE FLAGS MODSEQ BINARY.PEEK[1])",
    ]
    assert {"UID MOVE 3 Archive", "UID EXPUNGE 1"} <= set(said)
    assert any(line.endswith("(VANISHED CHANGEDSINCE 10)") for line in said), said
    assert len(parts_of_append) == 1, "two messages in one APPEND"
    assert office.flags(owner) == [b"\\Flagged", b"\\Seen", b""]


def test_horde_keeps_mailboxes_notes_and_rights(office: Office, owner: Owner) -> None:
    other = office.hire().address
    with office.tap() as tap:
        *names, counted, notes, rights, mine, quota, server, namespaces = run(office, owner, tap.port, MAILBOXES, other)
        said = tap.commands
    assert names[:2] == [
        ["Archive", 0, ["\\hasnochildren", "\\subscribed", "\\archive"]],
        ["Drafts", 0, ["\\hasnochildren", "\\subscribed", "\\drafts"]],
    ]
    assert names[-1] == ["工作", 0, ["\\hasnochildren", "\\subscribed"]]
    assert (counted, server, namespaces) == (["INBOX", "Archive"], "Hongyan", ["", "Other Users/"])
    assert notes == {"Archive": {"/private/comment": "mine", "/shared/comment": "雁"}}
    assert rights == {owner.address: "lrswipkxtea", other: "lrs"}
    assert mine == ["lrswipkxtea", True]
    assert isinstance(quota, dict)
    assert set(quota[""]) >= {"storage", "mailbox"}
    assert 'LIST (SUBSCRIBED) "" (*) RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN))' in said
    assert 'LIST () "" (INBOX Archive) RETURN (STATUS (MESSAGES))' in said
    assert "GETMETADATA Archive (/private/comment /shared/comment)" in said
    assert tap.verbs >= {"SETMETADATA", "SETACL", "GETACL", "MYRIGHTS", "LISTRIGHTS", "DELETEACL", "RENAME", "DELETE"}


def test_horde_sorts_by_the_names_that_are_shown_and_searches_loosely(office: Office, owner: Owner) -> None:
    mail = ((b"Zoe <a@x.test>", b"They honked, and very loudly."), (b"Anna <z@x.test>", b"They honked."))
    office.bring(owner, *(b"From: %s\r\nSubject: geese\r\n\r\n%s\r\n" % message for message in mail))
    with office.tap() as tap:
        by_name, found = run(office, owner, tap.port, SHOWN)
        said = tap.commands
    assert by_name == [2, 1]
    assert found == [1]
    assert "UID SORT RETURN (ALL COUNT) (DISPLAYFROM) US-ASCII ALL" in said
    assert any("FUZZY BODY" in command for command in said), said
