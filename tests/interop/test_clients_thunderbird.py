"""Thunderbird: an account is set up, read, sorted out, searched and written from, by its own parts.

Its scripts run within (`tests/support/marionette.py`) and use what its windows use; then the server is asked.
"""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.marionette import start_thunderbird

pytestmark = [pytest.mark.interop, pytest.mark.minutes]

SETUP = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const [address, secret, imaps, submissions, authority] = given;
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(authority, "C,,");
const server = MailServices.accounts.createIncomingServer(address, "localhost", "imap");
Object.assign(server, {port: imaps, socketType: 3, authMethod: 3, password: secret});
const out = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
Object.assign(out, {hostname: "localhost", port: submissions, socketType: 3, authMethod: 3, username: address});
out.password = secret;
const identity = MailServices.accounts.createIdentity();
Object.assign(identity, {email: address, fullName: "Goose", smtpServerKey: out.key, doFcc: true});
const account = MailServices.accounts.createAccount();
account.addIdentity(identity);
account.incomingServer = server;
MailServices.accounts.defaultAccount = account;
globalThis.account = {server, account, identity, MailServices};
"""

WORDS = """
const { server, account, identity, MailServices } = globalThis.account;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const listen = (names, more) => ({QueryInterface: ChromeUtils.generateQI(names), ...more});
const end = (resolve, reject, what) => status => status ? reject(new Error(`${what}: ${status}`)) : resolve();
const wait = begin => new Promise((resolve, reject) => begin(listen(["nsIUrlListener", "nsIMsgCopyServiceListener"], {
    OnStartRunningUrl() {}, OnStopRunningUrl: (url, status) => end(resolve, reject, "url")(status),
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId: () => null,
    onStopCopy: end(resolve, reject, "copy"),
})));
const until = async (what, of) => {
    for (let tries = 0; tries < 300; tries++) {
        const got = of();
        if (got) return got;
        await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error("waited in vain for " + what);
};
const folder = name => server.rootFolder.getChildNamed(name);
const update = name => wait(l =>
    folder(name).QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, l));
const message = subject => [...folder("INBOX").messages].find(header => header.mime2DecodedSubject == subject);
const bring = (subject, to, moves) => wait(l => MailServices.copy.copyMessages(
    folder("INBOX"), [message(subject)], folder(to), moves, l, null, false));
"""

FOLDERS = """
server.performExpand(null);
await until("folders", () => ["INBOX", "Archive", "Sent", "Trash"].every(folder));
return server.rootFolder.subFolders.filter(each => each.flags & 0x8200).map(each => each.name);
"""

READ = """
await update("INBOX");
const uri = folder("INBOX").getUriForMsg(message("one"));
const input = Cc["@mozilla.org/scriptableinputstream;1"].createInstance(Ci.nsIScriptableInputStream);
let text = "";
await new Promise((resolve, reject) => MailServices.messageServiceFromURI(uri).streamMessage(uri,
    listen(["nsIStreamListener"], {
        onStartRequest() {}, onStopRequest: (request, status) => end(resolve, reject, "read")(status),
        onDataAvailable(request, stream, offset, count) { input.init(stream); text += input.read(count); },
    }), null, null, false, "", false));
return text;
"""

SORT_OUT = """
folder("INBOX").markMessagesRead([message("one")], true);
folder("INBOX").markMessagesFlagged([message("one")], true);
folder("INBOX").addKeywordsToMessages([message("one")], "$label1");
await bring("one", "Archive", false);
await bring("two", "Archive", true);
await wait(l => folder("INBOX").deleteMessages([message("three")], null, false, true, l, false));
server.rootFolder.createSubfolder("工作", null);
await until("the new folder", () => folder("工作"));
"""

SEARCH = """
const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
const term = session.createTerm();
const value = term.value;
term.attrib = value.attrib = Ci.nsMsgSearchAttrib.Body;
term.op = Ci.nsMsgSearchOp.Contains;
value.str = given[0];
term.value = value;
session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder("INBOX"));
session.appendTerm(term);
const found = [];
await new Promise(resolve => {
    session.registerListener(listen(["nsIMsgSearchNotify"], {
        onNewSearch() {}, onSearchHit(header) { found.push(header.subject); }, onSearchDone: resolve,
    }));
    session.search(null);
});
return found;
"""

SEND = """
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.from = fields.to = identity.email;
fields.subject = "鸿雁";
fields.fcc = folder("Sent").URI;
const send = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
await new Promise((resolve, reject) => send.createAndSendMessage(
    null, identity, account.key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null,
    "text/plain", "Honk.\\n", null, null, listen(["nsIMsgSendListener"], {
        onStartSending() {}, onProgress() {}, onStatus() {}, onGetDraftFolderURI() {},
        onSendNotPerformed: () => reject(new Error("not sent")),
        onTransportSecurityError: (id, status) => reject(new Error("TLS: " + status)),
        onStopSending: (id, status) => end(resolve, reject, "send")(status),
    }), "", "", Ci.nsIMsgCompType.New));
"""

NOTICE = """return await until("the new message", () => message(given[0])?.subject);"""


def test_thunderbird_reads_sorts_out_searches_sends_and_is_told_of_new_mail(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three", b"four"))
    authority = "".join(office.authority.read_text().split("-----")[2].split())
    with office.tap() as tap, start_thunderbird(office.home, {}) as thunderbird:
        thunderbird.run(SETUP, owner.address, owner.secret, tap.port, office.port("submissions"), authority)

        def act(script: str, *given: str) -> object:
            return thunderbird.run(WORDS + script, *given)

        assert act(FOLDERS) == ["Sent"]  # it took our word for which is \\Sent
        assert "\nHonk." in str(act(READ)).replace("\r", "")
        act(SORT_OUT)
        assert act(SEARCH, "Honk") == ["one", "four"]
        assert tap.wait_for("IDLE")
        office.bring(owner, *letters(b"five"))
        assert act(NOTICE, "five") == "five"
        act(SEND)
        assert len(office.wait_for(owner, 4)) == 4
        assert tap.verbs >= {"COMPRESS", "ENABLE", "ID", "IDLE", "UID MOVE", "UID COPY", "UID SEARCH", "APPEND"}
    assert set(office.flags(owner)[0].split()) == {b"\\Seen", b"\\Flagged", b"$label1"}
    assert len(office.messages(owner, "Archive")) == 2
    assert [b"Subject: three" in octets for octets in office.messages(owner, "Trash")] == [True]
    assert office.messages(owner, "&XeVPXA-") == []
    assert office.flags(owner, "Sent") == [b"\\Seen"]
