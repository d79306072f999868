"""The one door: who comes in, who does not, and what they are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from hongyan.audit.events import CLI
from hongyan.auth.devices import DeviceOptions
from hongyan.auth.login import LoginOptions
from hongyan.auth.passwords import PasswordOptions
from hongyan.auth.principal import LoginAttempt, LoginReason, LoginRefused, Principal
from hongyan.auth.services import ServiceOptions
from hongyan.errors import StorageFailed
from hongyan.secret import Secret
from hongyan.store.accounts import AccountChange, AccountClass, Role, Service
from hongyan.store.credentials import StoredLogin
from hongyan.telemetry import metrics
from tests.support.clock import FakeClock
from tests.support.door import Door, OpenDoor

_ALL = frozenset(Service)
_IMAP = frozenset({Service.IMAP})


async def _refused(door: Door, name: str, secret: str | Secret | None, **fields: Any) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        await door.enter(name, secret, **fields)
    return caught.value


def _counted(result: str, service: str = "imap", tls: str = "TLSv1.3") -> float:
    return metrics.authentication_total.labels(service, "plain", tls, result)._value.get()


async def test_an_app_password_opens_the_services_it_is_for(door: Door) -> None:
    ann = await door.add("Ann@geese.test", services=_ALL, role=Role.ADMIN)
    for service in (Service.IMAP, Service.POP3, Service.SMTP):
        principal = await door.enter("ann@GEESE.test", ann.app_password, service=service)
        assert (principal.account, principal.role) == (ann.account.account_id, Role.ADMIN)
        assert (str(principal.address), principal.scopes) == (
            "Ann@geese.test",
            {Service.IMAP, Service.POP3, Service.SMTP},
        )


async def test_an_app_password_is_taken_with_and_without_spaces(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    shown = ann.app_password.reveal_text()
    for spelling in (shown, shown.replace(" ", ""), f"  {shown} ", shown.replace(" ", "\u00a0")):
        await door.enter("ann@geese.test", spelling)


async def test_every_wrong_secret_is_told_the_same(doors: OpenDoor) -> None:
    door = await doors(login=LoginOptions(help_url="https://geese.test/help"))
    ann = await door.add("ann@geese.test", password=Secret("honk honk"), services=_IMAP)
    await door.accounts.suspend((await door.add("eve@geese.test")).account.account_id, CLI)
    refusals = [
        await _refused(door, "ann@geese.test", "aaaa bbbb cccc dddd"),
        await _refused(door, "ann@geese.test", "honk honk"),  # the account's password is not for mail programs
        await _refused(door, "ann@geese.test", "", service=Service.POP3),
        await _refused(door, "bob@geese.test", ann.app_password),
        await _refused(door, "ann@swans.test", ann.app_password),
        await _refused(door, "eve@geese.test", ann.app_password),
        await _refused(door, "ann", ann.app_password),
        await _refused(door, "", ann.app_password),
        await _refused(door, "\x00\r\n" * 9000, ann.app_password),
        await _refused(door, "ann@geese.test", None),
        await _refused(door, "ann@geese.test", Secret(b"\xff\xfe\x00")),
    ]
    assert {refusal.sentence for refusal in refusals} == {
        "Wrong name or secret. Mail programs need an app password: https://geese.test/help"
    }
    assert {refusal.told for refusal in refusals} == {LoginReason.WRONG_SECRET}
    assert refusals[0].reason is LoginReason.WRONG_SECRET
    assert refusals[3].reason is LoginReason.UNKNOWN_NAME


async def test_a_cause_is_told_only_after_a_right_app_password(doors: OpenDoor) -> None:
    door = await doors(services=ServiceOptions(pop3_classes=("enterprise",)))
    ann = await door.add("ann@geese.test", services=_IMAP | {Service.POP3}, scopes=_IMAP | {Service.POP3})
    name, account, right = "ann@geese.test", ann.account.account_id, ann.app_password
    assert (await _refused(door, name, right, service=Service.SMTP)).told is LoginReason.SERVICE_OFF
    assert (await _refused(door, name, "wrong", service=Service.SMTP)).told is LoginReason.WRONG_SECRET
    assert (await _refused(door, name, right, service=Service.POP3)).told is LoginReason.CLASS
    await door.accounts.change(account, AccountChange(account_class=AccountClass.ENTERPRISE), CLI)
    await door.enter(name, right, service=Service.POP3)
    await door.accounts.switch_service(account, Service.SMTP, on=True, actor=CLI)
    scope = await _refused(door, name, right, service=Service.SMTP)
    assert scope.told is LoginReason.SCOPE
    assert "SMTP" in scope.sentence
    await door.accounts.suspend(account, CLI)
    suspended = await _refused(door, name, right)
    assert (suspended.told, suspended.sentence) == (
        LoginReason.SUSPENDED,
        "This account is suspended, ask your admin.",
    )
    assert (await _refused(door, name, "wrong")).told is LoginReason.WRONG_SECRET
    await door.accounts.activate(account, CLI)
    await door.enter(name, right)


async def test_the_accounts_password_opens_the_web_and_no_more_unless_allowed(doors: OpenDoor) -> None:
    door = await doors()
    await door.add("ann@geese.test", password=Secret("honk honk"), services=_ALL)
    principal = await door.enter("ann@geese.test", "honk honk", service=Service.WEB)
    assert principal.scopes == {Service.WEB}
    assert (await _refused(door, "ann@geese.test", "honk honk")).reason is LoginReason.WRONG_SECRET
    assert (await _refused(door, "ann@geese.test", "honk", service=Service.WEB)).reason is LoginReason.WRONG_SECRET
    open_door = await doors(login=LoginOptions(accept_password=("imap",)))
    assert (await open_door.enter("ann@geese.test", "honk honk")).scopes == {Service.IMAP}
    await _refused(open_door, "ann@geese.test", "honk honk", service=Service.SMTP)


async def test_an_app_password_does_not_open_the_web(door: Door) -> None:
    ann = await door.add("ann@geese.test", services=_ALL)
    assert (await _refused(door, "ann@geese.test", ann.app_password, service=Service.WEB)).told is LoginReason.SCOPE


async def test_a_suspended_account_is_not_told_of_with_its_password(doors: OpenDoor) -> None:
    door = await doors(login=LoginOptions(accept_password=("imap",)))
    ann = await door.add("ann@geese.test", password=Secret("honk honk"))
    await door.accounts.suspend(ann.account.account_id, CLI)
    refusal = await _refused(door, "ann@geese.test", "honk honk")
    assert (refusal.reason, refusal.told) == (LoginReason.SUSPENDED, LoginReason.WRONG_SECRET)


async def test_a_new_password_kills_the_old_one_and_all_app_passwords(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    ann = await here.add("ann@geese.test", password=Secret("honk honk"))
    for door in (here, there):
        await door.enter("ann@geese.test", "honk honk", service=Service.WEB)
        await door.enter("ann@geese.test", ann.app_password)
    await here.account_password.change(ann.account.account_id, Secret("gaggle gaggle"), CLI)
    await there.watch.catch_up()
    for door in (here, there):
        await _refused(door, "ann@geese.test", "honk honk", service=Service.WEB)
        await _refused(door, "ann@geese.test", ann.app_password)
        await door.enter("ann@geese.test", "gaggle gaggle", service=Service.WEB)


async def test_a_new_app_password_works_at_once_even_where_nobody_has_read_the_log(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    ann = await here.add("ann@geese.test")
    await there.enter("ann@geese.test", ann.app_password)
    second = await here.app_passwords.create(ann.account.account_id, "tablet", _IMAP, CLI)
    principal = await there.enter("ann@geese.test", second.shown)
    assert principal.credential == second.app_password.credential
    await here.app_passwords.revoke(ann.account.account_id, [second.app_password.credential], CLI)
    await there.watch.catch_up()
    await _refused(there, "ann@geese.test", second.shown)
    await there.enter("ann@geese.test", ann.app_password)


async def test_a_removed_account_is_refused_as_unknown(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    await door.enter("ann@geese.test", ann.app_password)
    await door.provisioner.remove(ann.account.account_id, CLI)
    assert (await _refused(door, "ann@geese.test", ann.app_password)).reason is LoginReason.UNKNOWN_NAME


async def test_logins_need_tls_but_on_loopback_if_so_configured(doors: OpenDoor) -> None:
    door, lax = await doors(), await doors(login=LoginOptions(plaintext_on_loopback=True))
    ann = await door.add("ann@geese.test")
    for peer in ("127.0.0.1", "::1", "192.0.2.1"):
        refusal = await _refused(door, "ann@geese.test", ann.app_password, tls=None, peer=peer)
        assert refusal.told is LoginReason.TLS_REQUIRED
        with pytest.raises(LoginRefused):
            await door.login.offer_scram(door.attempt("ann@geese.test", None, tls=None, peer=peer))
    for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        await lax.enter("ann@geese.test", ann.app_password, tls=None, peer=peer)
    assert (await _refused(lax, "ann@geese.test", ann.app_password, tls=None)).told is LoginReason.TLS_REQUIRED


async def test_a_name_without_a_domain_is_of_the_default_domain(doors: OpenDoor) -> None:
    door = await doors(login=LoginOptions(default_domain="geese.test"))
    ann = await door.add("ann@geese.test")
    assert (await door.enter("ann", ann.app_password)).account == ann.account.account_id


async def test_an_internationalized_name_is_one_name(doors: OpenDoor) -> None:
    door = await doors(domain="xn--fsqu00a.test")
    ann = await door.add("雁@例子.test")
    for name in ("雁@例子.test", "雁@xn--fsqu00a.test", "雁@XN--FSQU00A.TEST"):
        assert (await door.enter(name, ann.app_password)).account == ann.account.account_id


async def test_too_many_devices_are_refused_until_one_goes(doors: OpenDoor, clock: FakeClock) -> None:
    door = await doors(devices=DeviceOptions(limit=2, idle=30))
    ann = await door.add("ann@geese.test", label="one")
    account = ann.account.account_id
    others = [await door.app_passwords.create(account, label, _IMAP, CLI) for label in ("two", "three")]
    secrets = [ann.app_password, *(issued.shown for issued in others)]
    await door.enter("ann@geese.test", secrets[0])
    await door.enter("ann@geese.test", secrets[1])
    assert (await _refused(door, "ann@geese.test", secrets[2])).told is LoginReason.DEVICE_LIMIT
    await door.logins.flush()
    assert (await _refused(door, "ann@geese.test", secrets[2])).told is LoginReason.DEVICE_LIMIT
    await door.enter("ann@geese.test", secrets[0])
    first, *_ = await door.app_passwords.list_app_passwords(account)
    await door.app_passwords.revoke(account, [first.credential], CLI)
    await door.enter("ann@geese.test", secrets[2])
    clock.advance(31 * 86400)
    await door.enter("ann@geese.test", secrets[1])


async def test_attempts_are_in_the_audit_log_and_the_metrics(door: Door) -> None:
    ann = await door.add("ann@geese.test", label="my phone")
    before = _counted("ok"), _counted("wrong-secret")
    for _ in range(3):
        await door.enter("ann@geese.test", ann.app_password)
    await _refused(door, "ann@geese.test", "wrong", client="evil\r\nX: y" + "z" * 200)
    await _refused(door, "bob@geese.test", "wrong", tls="TLSv1.2")
    assert (_counted("ok"), _counted("wrong-secret")) == (before[0] + 3, before[1] + 1)
    assert _counted("unknown-name", tls="TLSv1.2") >= 1
    await door.logins.flush()
    folds = {fold.kind.result: fold for fold in await door.audit_store.list_logins(ann.account.account_id)}
    right = folds["ok"]
    assert (right.count, right.kind.label, right.kind.client, right.kind.tls) == (3, "my phone", "goose", "TLSv1.3")
    assert (right.kind.address, right.kind.service, right.kind.mechanism) == ("192.0.2.1", "imap", "PLAIN")
    wrong = folds["wrong-secret"]
    assert (wrong.count, wrong.kind.label) == (1, "")
    assert wrong.kind.client == ("evilX: y" + "z" * 200)[:64]
    (unknown,) = await door.audit_store.list_logins(None)
    assert unknown.kind.result == "unknown-name"
    (used,) = await door.app_passwords.list_app_passwords(ann.account.account_id)
    assert used.last_used_from == "192.0.2.1"
    assert used.last_used_at is not None


async def test_when_the_database_is_away_nobody_is_locked_out_for_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await door.add("ann@geese.test")

    async def fail(_canonical: str) -> None:
        raise StorageFailed(cause="disk on fire at /var/lib/x")

    monkeypatch.setattr(door.login._store, "find_next_credential", fail)
    for _ in range(20):
        refusal = await _refused(door, "ann@geese.test", ann.app_password)
        assert refusal.told is LoginReason.UNAVAILABLE
        assert refusal.told.is_temporary
        assert "/var" not in refusal.sentence
    monkeypatch.undo()
    await door.enter("ann@geese.test", ann.app_password)


async def test_a_known_secret_is_let_in_while_the_database_is_away(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await door.add("ann@geese.test")
    await door.enter("ann@geese.test", ann.app_password)

    async def fail(_canonical: str) -> None:
        raise StorageFailed(cause="away")

    monkeypatch.setattr(door.login._store, "find_next_credential", fail)
    await door.enter("ann@geese.test", ann.app_password)


async def test_a_crowd_of_passwords_is_asked_to_come_later(doors: OpenDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    door = await doors(passwords=PasswordOptions(passes=1, memory=8, waiting=1, min_length=4))
    await door.add("ann@geese.test", password=Secret("honk honk"))
    slow = threading.Event()
    monkeypatch.setattr(door.passwords, "_verify", lambda _stored, _octets: not slow.wait(10))
    attempts = [door.enter("ann@geese.test", f"wrong {n}", service=Service.WEB, peer=f"192.0.2.{n}") for n in range(9)]
    pending = {asyncio.create_task(attempt) for attempt in attempts}
    refused: set[asyncio.Task[Principal]] = set()
    while len(pending) > 3:  # two are checked, one waits
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        refused |= done
    slow.set()
    assert [await _refusal(task) for task in refused] == [LoginReason.BUSY] * 6
    assert [await _refusal(task) for task in pending] == [LoginReason.WRONG_SECRET] * 3
    monkeypatch.undo()
    await door.enter("ann@geese.test", "honk honk", service=Service.WEB)


async def _refusal(task: asyncio.Task[Principal]) -> LoginReason:
    with pytest.raises(LoginRefused) as caught:
        await task
    return caught.value.told


async def test_a_password_is_hashed_anew_when_the_parameters_change(doors: OpenDoor) -> None:
    old = await doors()
    ann = await old.add("ann@geese.test", password=Secret("honk honk"))
    before = await _stored(old, "ann@geese.test")
    new = await doors(passwords=PasswordOptions(passes=2, memory=16, min_length=4))
    await new.enter("ann@geese.test", "honk honk", service=Service.WEB)
    after = await _stored(new, "ann@geese.test")
    assert before.password is not None
    assert after.password is not None
    assert after.password.hash != before.password.hash
    assert after.password.credential == before.password.credential
    assert not new.passwords.is_outdated(after.password.hash)
    await new.enter("ann@geese.test", "honk honk", service=Service.WEB)
    await old.enter("ann@geese.test", ann.app_password)


async def _stored(door: Door, name: str) -> StoredLogin:
    login = await door.login._store.find_login(name)
    assert login is not None
    return login


async def test_both_an_unknown_name_and_a_wrong_secret_ask_the_same_of_the_database(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await door.add("ann@geese.test")
    await door.enter("ann@geese.test", ann.app_password)
    asked: list[Sequence[str]] = []
    real = door.login._store.find_next_credential

    async def note(canonical: str) -> object:
        asked.append(canonical)
        return await real(canonical)

    monkeypatch.setattr(door.login._store, "find_next_credential", note)
    monkeypatch.setattr(door.login._store, "find_login", None)
    await _refused(door, "ann@geese.test", "wrong")
    await _refused(door, "bob@geese.test", "wrong")
    assert asked == ["ann@geese.test", "bob@geese.test"]


def test_secrets_print_as_stars(door: Door) -> None:
    attempt = LoginAttempt(
        service=Service.IMAP, name="a", peer="::1", tls=None, mechanism="PLAIN", secret=Secret("honk")
    )
    assert "honk" not in repr(attempt)


@pytest.mark.parametrize("options", [{"accept_password": ("ftp",)}, {"help_url": "https://雁.test"}])
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ftp|ASCII"):
        LoginOptions(**options)
