"""imapflow of npm: what the mail services written in JavaScript stand on, over a compressed IMAP4rev2 connection."""

from __future__ import annotations

import base64
import json
import re
import threading
from unittest.mock import ANY

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.node import run_node

pytestmark = pytest.mark.interop

BEGIN = """
import { ImapFlow } from 'imapflow';
import assert from 'node:assert/strict';
const [port, user, pass] = process.argv.slice(2);
const connect = async (options = {}) => {
    const client = new ImapFlow({
        host: 'localhost', port: Number(port), secure: true, auth: { user, pass }, logger: false, autoIdleDelay: 50,
        ...options,
    });
    client.on('error', error => { throw error; });
    await client.connect();
    return client;
};
const tell = what => console.log(JSON.stringify(what, (_, value) => typeof value == 'bigint' ? Number(value)
    : value instanceof Set ? [...value].sort() : value instanceof Map ? [...value] : value));
const until = (client, event, test = () => true) => new Promise(resolve => client.on(event, told => {
    if (test(told)) resolve(told);
}));
"""


def run(office: Office, owner: Owner, port: int, script: str) -> list[object]:
    """Run a script; return what it told, one value a line."""
    said = run_node(office.home, BEGIN + script, str(port), owner.address, owner.secret, authority=office.authority)
    return [json.loads(line) for line in said.splitlines()]


WITH_ATTACHMENT = (
    "From: Goose <goose@elsewhere.test>\r\nTo: Swan <swan@elsewhere.test>\r\nSubject: =?UTF-8?B?6bi/6ZuB?=\r\n"
    "Date: Mon, 5 Jan 2026 10:00:00 +0800\r\nMessage-ID: <a@elsewhere.test>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9=9B=81 says honk.\r\n"
    "--b\r\nContent-Type: application/pdf; name=goose.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    f"{base64.encodebytes(bytes(range(256)) * 8).decode().replace(chr(10), chr(13) + chr(10))}--b--\r\n"
)

READS = """
const client = await connect();
tell([client.serverInfo.name, client.namespace, [...client.enabled].sort()]);
const lock = await client.getMailboxLock('INBOX');
const query = { flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true, threadId: true };
const rows = [];
for await (const row of client.fetch('1:*', query)) rows.push(row);
const [row] = rows.filter(row => row.envelope.messageId == '<a@elsewhere.test>');
assert(rows.every(row => row.emailId && row.modseq > 0n && row.internalDate instanceof Date));
tell([rows.length, row.uid, row.envelope.subject, row.envelope.from, row.envelope.date, row.size]);
tell(row.bodyStructure.childNodes.map(({ part, type, encoding, size }) => [part, type, encoding, size]));
const whole = await client.fetchOne(row.uid, { source: true, headers: ['subject'] }, { uid: true });
tell(whole.source.toString());
const slice = { source: { start: 6, maxLength: 5 }, bodyParts: ['1', { key: '2', start: 4, maxLength: 8 }] };
const parts = await client.fetchOne(row.uid, slice, { uid: true, binary: true });
tell([parts.source.toString(), parts.bodyParts.get('1').toString(), [...parts.bodyParts.get('2')]]);
const { meta, content } = await client.download(row.uid, '2', { uid: true });
const chunks = [];
for await (const chunk of content) chunks.push(chunk);
const sent = Buffer.from(Array(2048).fill().map((_, n) => n % 256));
tell([meta.contentType, meta.filename, Buffer.concat(chunks).equals(sent)]);
tell((await client.downloadMany(row.uid, ['1'], { uid: true }))['1'].content.toString());
lock.release();
tell(await client.getQuota());
await client.logout();
"""


def test_imapflow_reads_structures_parts_and_attachments(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    with office.imap(owner) as imap:
        imap.append("INBOX", "(\\Flagged)", '"01-Jan-2020 00:00:00 +0000"', WITH_ATTACHMENT.encode())
    with office.tap() as tap:
        greeting, row, structure, whole, parts, attachment, text, quota = run(office, owner, tap.port, READS)
        assert tap.verbs >= {"COMPRESS", "ENABLE", "ID", "NAMESPACE", "UID FETCH", "GETQUOTAROOT", "LOGOUT"}
        said = "\n".join(tap.commands)
    assert greeting == ["Hongyan", {"prefix": "", "delimiter": "/"}, ["CONDSTORE", "IMAP4REV2", "UTF8=ACCEPT"]]
    author = [{"name": "Goose", "address": "goose@elsewhere.test"}]
    assert row == [3, 3, "鸿雁", author, "2026-01-05T02:00:00.000Z", len(WITH_ATTACHMENT)]
    assert structure == [["1", "text/plain", "quoted-printable", 20], ["2", "application/pdf", "base64", 2802]]
    assert whole == WITH_ATTACHMENT
    assert parts == ["Goose", "雁 says honk.", [4, 5, 6, 7, 8, 9, 10, 11]]
    assert attachment == ["application/pdf", "goose.pdf", True]
    assert text == "雁 says honk."
    assert isinstance(quota, dict)
    assert quota["storage"]["usage"] > 0
    assert {"BINARY.PEEK[1]", "BINARY.PEEK[2]<4.8>", "EMAILID", "THREADID", "MODSEQ"} <= set(
        said.replace("(", " ").replace(")", " ").split()
    )


KEEPS = r"""
const client = await connect();
const before = await client.list({ statusQuery: { messages: true, unseen: true, size: true, highestModseq: true } });
tell(before.map(({ path, specialUse, subscribed, status }) => [path, specialUse, subscribed, status.messages]));
tell(await client.mailboxCreate(['工作', '雁']));
tell(await client.mailboxRename(['工作', '雁'], ['工作', '鸿雁']));
tell([await client.mailboxUnsubscribe('工作/鸿雁'), await client.mailboxSubscribe('工作/鸿雁')]);
const letter = subject => `From: goose@elsewhere.test\r\nSubject: ${subject}\r\n\r\nHonk.\r\n`;
for (const [flags, date, subject] of [
    [['\\Flagged'], '2020-01-01', 'Pears'], [['$Work'], '2021-01-01', '雁 and apples'], [[], '2022-01-01', 'Plums'],
]) tell(await client.append('工作/鸿雁', letter(subject), flags, new Date(date)));
const { path, exists, uidNext, mailboxId } = await client.mailboxOpen('工作/鸿雁');
tell([path, exists, uidNext, Boolean(mailboxId)]);
const search = (query, options) => client.search(query, { uid: true, ...options });
tell([
    await search({ subject: '雁' }), await search({ keyword: '$Work' }), await search({ flagged: true, from: 'goose' }),
    await search({ or: [{ subject: 'pears' }, { header: { subject: 'plums' } }], not: { flagged: true } }),
    await search({ before: new Date('2021-06-01') }), await search({ since: '2022-01-01', larger: 10 }),
]);
tell(await search({ all: true }, { returnOptions: ['COUNT', 'MIN', 'MAX', 'ALL'] }));
const { emailId } = await client.fetchOne('1', { uid: true });
tell([await search({ emailId }), await search({ modseq: 1n })]);
tell(await client.messageFlagsAdd('1:2', ['\\Seen'], { uid: true }));
tell(await client.messageFlagsRemove({ keyword: '$Work' }, ['$Work']));
tell(await client.messageFlagsSet('3', ['\\Answered'], { uid: true, unchangedSince: 1n }));
tell((await client.fetchAll('1:*', { flags: true })).map(({ uid, flags }) => [uid, flags]));
tell(await client.messageCopy('1', 'Archive', { uid: true }));
tell(await client.messageMove('2:3', 'Archive', { uid: true }));
tell(await client.messageDelete({ flagged: true }));
tell(client.mailbox.exists);
await client.mailboxClose();
tell(await client.status('Archive', { messages: true, unseen: true, size: true, deleted: true, uidNext: true }));
tell(await client.mailboxDelete('工作/鸿雁'));
tell((await client.list()).map(({ path }) => path));
await client.logout();
"""


def test_imapflow_keeps_mailboxes_stores_searches_marks_copies_moves_and_deletes(office: Office, owner: Owner) -> None:
    with office.tap() as tap:
        told = run(office, owner, tap.port, KEEPS)
        said = tap.commands
    assert told[:4] == [
        [[name, f"\\{name.title()}", True, 0] for name in ("INBOX", "Sent", "Drafts", "Archive", "Junk", "Trash")],
        {"path": "工作/雁", "mailboxId": ANY, "created": True},
        {"path": "工作/雁", "newPath": "工作/鸿雁"},
        [True, True],
    ]
    stored = {"destination": "工作/鸿雁", "uidValidity": ANY}
    assert told[4:7] == [{**stored, "uid": uid} for uid in (1, 2, 3)]
    assert told[7:10] == [
        ["工作/鸿雁", 3, 4, True],
        [[2], [2], [1], [3], [1, 2], [3]],
        {"min": 1, "max": 3, "count": 3, "all": "1:3"},
    ]
    assert told[10:15] == [[[1], [1, 2, 3]], True, True, True, [[1, ["\\Flagged", "\\Seen"]], [2, ["\\Seen"]], [3, []]]]
    moved = {"path": "工作/鸿雁", "destination": "Archive", "uidValidity": ANY}
    assert told[15:19] == [{**moved, "uidMap": [[1, 1]]}, {**moved, "uidMap": [[2, 2], [3, 3]]}, True, 0]
    archived = {"path": "Archive", "messages": 3, "unseen": 1, "size": ANY, "deleted": 0, "uidNext": 4}
    assert told[19:] == [
        archived,
        {"path": "工作/鸿雁"},
        ["INBOX", "Sent", "Drafts", "Archive", "Junk", "Trash", "工作"],
    ]
    status = "(STATUS (MESSAGES UNSEEN SIZE HIGHESTMODSEQ) SPECIAL-USE CHILDREN SUBSCRIBED)"
    wanted = (
        f'LIST "" "*" RETURN {status}',
        "UID SEARCH RETURN (COUNT MIN MAX ALL) ALL",
        "UID STORE 3 (UNCHANGEDSINCE 1) FLAGS (\\Answered)",
    )
    assert set(said) >= {*wanted, "UID MOVE 2:3 Archive", "UID EXPUNGE 1"}
    assert any(line.startswith("UID SEARCH OLDER ") for line in said)
    assert any(line.startswith("UID SEARCH EMAILID ") for line in said)
    assert sorted(office.flags(owner, "Archive")) == [b"", b"\\Flagged \\Seen", b"\\Seen"]


RESYNCS = r"""
const away = await connect({ qresync: true });
const { uidValidity, highestModseq } = await away.mailboxOpen('INBOX');
await away.logout();
const other = await connect({ disableAutoIdle: true });
await other.mailboxOpen('INBOX');
await other.messageFlagsAdd('2', ['\\Seen'], { uid: true });
await other.messageDelete('1,3:4', { uid: true });
const client = await connect({ qresync: true });
const told = [];
client.on('expunge', ({ uid, vanished, earlier }) => told.push(['vanished', uid, vanished, Boolean(earlier)]));
client.on('flags', ({ uid, flags, modseq }) => told.push(['flags', uid, [...flags], modseq > highestModseq]));
const mailbox = await client.mailboxOpen('INBOX', { uidValidity, changedSince: highestModseq });
tell([mailbox.qresync, mailbox.exists, told.splice(0)]);
tell((await client.fetchAll('1:*', { flags: true }, { changedSince: highestModseq })).map(({ uid }) => uid));
tell([await other.messageFlagsAdd('5', ['\\Flagged'], { unchangedSince: highestModseq, uid: true })]);
const arrived = until(client, 'exists');
client.idle();
tell([await arrived, (await client.fetchOne('*', { uid: true, envelope: true })).envelope.subject]);
const expunged = until(client, 'expunge');
const flagged = until(client, 'flags', ({ flags }) => flags.has('\\Answered'));
await other.messageFlagsAdd('2', ['\\Answered'], { uid: true });
await other.messageDelete('5', { uid: true });
const { uid, vanished } = await expunged;
tell([uid, vanished, (await flagged).uid]);
await other.logout();
await client.logout();
"""


def test_imapflow_learns_what_changed_while_it_was_away_and_by_idle(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(*(b"%d" % number for number in range(1, 7))))
    with office.tap() as tap:
        bring = threading.Thread(target=lambda: tap.wait_for("IDLE") and office.bring(owner, *letters(b"seven")))
        bring.start()
        resync, changed, stored, arrived, pushed = run(office, owner, tap.port, RESYNCS)
        bring.join()
        said = tap.commands
    gone = [["vanished", uid, True, True] for uid in (1, 3, 4)]
    assert resync == [True, 3, [*gone, ["flags", 2, ["\\Seen"], True]]]
    assert (changed, stored) == ([2], [True])
    assert arrived == [{"path": "INBOX", "count": 4, "prevCount": 3}, "seven"]
    assert pushed == [5, True, 2]
    assert "ENABLE CONDSTORE UTF8=ACCEPT QRESYNC IMAP4REV2" in said
    assert any(re.fullmatch(r"SELECT INBOX \(QRESYNC \(\d+ \d+\)\)", line) for line in said)
    assert any("(CHANGEDSINCE" in line for line in said)


STARTTLS = r"""
const client = await connect({ secure: false, doSTARTTLS: true, disableIMAP4rev2: true, disableCompression: true });
tell([client.secureConnection, [...client.enabled].sort(), (await client.list()).length]);
const { exists } = await client.mailboxOpen('INBOX', { readOnly: true });
tell([exists, await client.search({ subject: 'two' }, { uid: true })]);
await client.logout();
const refused = await connect({ secure: false, doSTARTTLS: true, auth: { user, pass: 'wrong' } }).catch(e => e);
tell([refused.authenticationFailed, refused.serverResponseCode]);
"""


def test_imapflow_by_starttls_and_without_imap4rev2_and_with_a_wrong_password(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    told = run(office, owner, office.port("imap"), STARTTLS)
    assert told == [[True, ["CONDSTORE", "UTF8=ACCEPT"], 6], [2, [2]], [True, "AUTHENTICATIONFAILED"]]
