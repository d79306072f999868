"""A passkey as a person makes it: Chromium with an authenticator that is not there, on http://localhost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chromium import open_browser
from tests.support.server import SECRET, start_server

ANN = "ann@hongyan.test"

MAKE = """
(async () => {
  const ask = async (path, body) => {
    const answer = await fetch('/api/v1' + path, {method: 'POST', headers: {'content-type': 'application/json'},
      body: body === undefined ? undefined : JSON.stringify(body)});
    return {status: answer.status, body: answer.status === 204 ? null : await answer.json()};
  };
  const shown = async () => {
    const asked = (await ask('/session/passkey/options')).body;
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked);
    return (await navigator.credentials.get({publicKey})).toJSON();
  };
  const told = [];
  told.push((await ask('/session', {name: '%s', password: '%s'})).status);
  const asked = (await ask('/passkeys/options')).body;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked);
  const credential = (await navigator.credentials.create({publicKey})).toJSON();
  told.push((await ask('/passkeys', {label: 'Chromium', credential})).status);
  await fetch('/api/v1/session', {method: 'DELETE'});
  told.push((await ask('/session', {name: '%s', password: '%s'})).body.state);
  told.push((await ask('/session/second-factor', {passkey: await shown()})).body.state);
  told.push((await ask('/session/step-up', {passkey: await shown()})).status);
  await fetch('/api/v1/session', {method: 'DELETE'});
  told.push((await ask('/session/passkey', {passkey: await shown()})).body.session.address);
  return told;
})()
"""


@pytest.mark.interop
async def test_chromium_makes_a_passkey_on_localhost_and_logs_in_by_it(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server, open_browser(tmp_path / "chromium") as chromium:
        await chromium.call("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await chromium.call("WebAuthn.addVirtualAuthenticator", options=options)
        await chromium.call("Page.setBypassCSP", enabled=True)
        await chromium.go(f"http://localhost:{server.app.endpoints['http'].port}/api/openapi.json")
        await chromium.wait_for("location.host.startsWith('localhost') && document.readyState === 'complete'")
        told = await chromium.evaluate(MAKE % (ANN, SECRET, ANN, SECRET))
        assert told == [201, 201, "second-factor", "open", 200, ANN]
