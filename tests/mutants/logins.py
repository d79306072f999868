"""Mutants of logging in by SASL, and of what greylisting puts off."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_SASL = "SASL exchanges"
_GREY = "greylisting"

_EXCHANGE = "tests/wire/test_sasl.py::"
_LOGIN = "tests/auth/test_login.py::"
_SCRAM_LOGIN = "tests/auth/test_scram.py::"
_GREYLIST = "tests/screening/test_greylist.py::"

_WIRE = "hongyan.wire.sasl:"
_SCRAM = "hongyan.wire.sasl:ScramSha256."
_GREY_CODE = "hongyan.screening.greylist:"

_FIRST = f"{_EXCHANGE}test_a_broken_first_message_of_scram_is_a_fault"
_LAST = f"{_EXCHANGE}test_a_broken_last_message_of_scram_is_a_fault"


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- SASL
    _mutant(
        "login-for-somebody-else",
        _SASL,
        Change(
            "hongyan.servers.sasl:_require_same", "if authorization_id and authorization_id != username:", "if False:"
        ),
        "tests/dialogues/test_dialogues.py::test_dialogue"
        "[imap/login: AUTHENTICATE PLAIN: cancelled, malformed, for somebody else, wrong]",
    ),
    _mutant(
        "scram-with-the-nonce-of-others",
        _SASL,
        Change(f"{_SCRAM}_client_final", 'if attributes[1] != b"r=" + self._nonce:', "if False:"),
        _LAST,
    ),
    _mutant(
        "scram-with-another-binding",
        _SASL,
        Change(f"{_SCRAM}_client_final", "if _strict_base64(attributes[0][2:]) != self._gs2_header:", "if False:"),
        _LAST,
    ),
    _mutant(
        "scram-that-binds",
        _SASL,
        Change(f"{_SCRAM}_client_first", 'if flag not in (b"n", b"y") or not comma:', "if not comma:"),
        _FIRST,
    ),
    _mutant(
        "scram-nonce-of-any-form",
        _SASL,
        Change(f"{_SCRAM}_client_first", "if not _NONCE.fullmatch(client_nonce):", "if False:"),
        _FIRST,
    ),
    _mutant(
        "scram-with-any-proof",
        _SASL,
        Change(
            f"{_WIRE}_match_proof",
            "if fits and len(proof) == len(signature) and matched is None:",
            "if matched is None:",
        ),
        f"{_EXCHANGE}test_a_wrong_proof_leads_nowhere",
        f"{_EXCHANGE}test_scram_says_which_of_several_secrets_fits",
    ),
    _mutant(
        "scram-with-a-longer-proof",
        _SASL,
        Change(f"{_WIRE}_match_proof", " and len(proof) == len(signature)", ""),
        f"{_EXCHANGE}test_a_proof_of_another_length_fits_nobody",
    ),
    _mutant(
        "scram-accepts-itself",
        _SASL,
        Change(f"{_SCRAM}accept", "if not self._signature:", "if False:"),
        f"{_EXCHANGE}test_a_wrong_proof_leads_nowhere",
    ),
    _mutant(
        "sasl-messages-of-any-size",
        _SASL,
        Change(f"{_WIRE}_text", "if len(message) > MAX_MESSAGE:", "if False:"),
        _FIRST,
    ),
    _mutant(
        "sasl-base64-in-two-spellings",
        _SASL,
        Change(f"{_WIRE}_strict_base64", "if b2a_base64(decoded, newline=False) != octets:", "if False:"),
        f"{_EXCHANGE}test_base64_is_strict",
    ),
    _mutant(
        "plain-with-more-fields",
        _SASL,
        Change(f"{_WIRE}Plain.respond", "len(fields) != 3 or", ""),
        f"{_EXCHANGE}test_a_broken_plain_message_is_a_fault",
    ),
    _mutant(
        "scram-opens-what-is-revoked",
        _SASL,
        Change(
            "hongyan.auth.login:_find_app_password",
            "return None",
            "return Proven(login, credential, None) if credential else None",
        ),
        f"{_SCRAM_LOGIN}test_what_is_revoked_between_the_steps_does_not_open",
    ),
    _mutant(
        "scram-salts-tell-names-apart",
        _SASL,
        Change(
            "hongyan.auth.login:LoginDoor.offer_scram",
            "fake_verifiers(self._server_key, name)",
            'ScramVerifiers(b"", 4096, ())',
        ),
        f"{_SCRAM_LOGIN}test_an_unknown_name_is_given_a_salt_as_stable_as_a_known_ones",
    ),
    # -- greylisting
    _mutant(
        "greylist-passes-at-once",
        _GREY,
        Change(f"{_GREY_CODE}decide", "if waited < timedelta(seconds=options.wait):", "if False:"),
        f"{_GREYLIST}test_who_comes_again_after_the_wait_and_within_the_window_passes",
        f"{_GREYLIST}test_a_suspicious_first_contact_is_put_off_and_passes_when_it_comes_again",
    ),
    _mutant(
        "greylist-passes-for-ever",
        _GREY,
        Change(f"{_GREY_CODE}decide", "waited <= timedelta(hours=options.window)", "True"),
        f"{_GREYLIST}test_who_comes_again_too_late_waits_once_more",
    ),
    _mutant(
        "greylist-counts-any-network",
        _GREY,
        Change(f"{_GREY_CODE}Greylist._triplet", "wide_network_of(host)", '""'),
        f"{_GREYLIST}test_a_suspicious_first_contact_is_put_off_and_passes_when_it_comes_again",
    ),
    _mutant(
        "greylist-believes-any-spf",
        _GREY,
        Change(
            f"{_GREY_CODE}Greylist._triplet",
            "if done and task.exception() is None and task.result():",
            "if done:",
        ),
        f"{_GREYLIST}test_a_suspicious_first_contact_is_put_off_and_passes_when_it_comes_again",
        f"{_GREYLIST}test_what_fails_opens",
    ),
    _mutant(
        "greylist-shuts-when-the-store-is-away",
        _GREY,
        Change(f"{_GREY_CODE}Greylist.judge", "except ServerFault as fault:", "except ZeroDivisionError as fault:"),
        f"{_GREYLIST}test_what_fails_opens",
    ),
    _mutant(
        "greylist-is-forgotten-by-nobody",
        _GREY,
        Change("hongyan.engines.sql.greylist:_expire", "(passed_at = 0 AND seen_at < $1) OR", "$1 < 0 OR"),
        "tests/contract/test_greylist.py::test_who_waits_is_forgotten_sooner_than_who_passed",
    ),
)
