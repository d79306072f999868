"""Thunderbird sets itself up: given an address and an app password, it asks, makes the account, logs in and reads.

What its own assistant does (FindConfig, ConfigVerifier, CreateInBackend), in its order. Names lead to loopback, and its
directory of providers is where the service listens: ports below 1024, which the other places need, are not for tests.
"""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.marionette import start_thunderbird

pytestmark = [pytest.mark.interop, pytest.mark.minutes]  # a new profile and a second program: most of a minute

SET_UP = """
const [address, secret, authority] = given;
const load = name => ChromeUtils.importESModule(`resource:///modules/accountcreation/${name}.sys.mjs`);
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(authority, "C,,");
const { FindConfig } = load("FindConfig");
const { AccountConfig } = load("AccountConfig");
const { CreateInBackend } = load("CreateInBackend");
const looking = FindConfig.parallelAutoDiscovery(address.split("@")[1], address, new AbortController().signal);
let step = await looking.next();
while (!step.done) step = await looking.next({acceptRedirect: false});
const config = step.value;
if (!config) throw new Error("it found nothing");
AccountConfig.replaceVariables(config, "Goose", address, secret);
config.incoming.password = config.outgoing.password = secret;
const account = await CreateInBackend.createAccountInBackend(config);
globalThis.account = account;
const told = each => [each.type, each.hostname, each.port, each.socketType, each.username];
return [config.source, told(config.incoming), told(config.outgoing), account.incomingServer.type];
"""

READ = """
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const server = globalThis.account.incomingServer;
server.performExpand(null);
for (let tries = 0; tries < 300; tries++) {
    const inbox = server.rootFolder.containsChildNamed("INBOX") && server.rootFolder.getChildNamed("INBOX");
    if (inbox) {
        inbox.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolder(null);
        const found = [...inbox.messages].map(header => header.mime2DecodedSubject);
        if (found.length) return found;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
}
throw new Error("no mail came");
"""


def test_thunderbird_sets_itself_up_from_address_and_app_password(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one"))
    authority = "".join(office.authority.read_text().split("-----")[2].split())
    preferences: dict[str, str | int | bool] = {
        "network.dns.forceResolve": "127.0.0.1",
        "mailnews.auto_config_url": f"https://localhost:{office.port('https')}/autoconfig/v1.1/",
    }
    with start_thunderbird(office.home, preferences) as thunderbird:
        found = thunderbird.run(SET_UP, owner.address, owner.secret, authority)
        assert isinstance(found, list)
        _, incoming, outgoing, kind = found
        assert incoming[:3] == ["imap", "mail.hongyan.test", office.port("imaps")]
        assert outgoing[:3] == ["smtp", "mail.hongyan.test", office.port("submissions")]
        assert incoming[4] == outgoing[4] == owner.address
        assert kind == "imap"
        assert thunderbird.run(READ) == ["one"]
