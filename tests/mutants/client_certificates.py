"""Mutants of logging in by certificate."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_ROW = "client certificates"
_JOURNEY = "tests/journeys/test_client_certificates.py::"
_CONTRACT = "tests/contract/test_client_certificates.py::"
_LOGIN = "hongyan.auth.login:LoginDoor."
_SQL = "hongyan.engines.sql.client_certificates:"


def _mutant(name: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (change,), tests)


MUTANTS = (
    _mutant(
        "certificates-are-not-asked-for",
        Change(
            "hongyan.domains.tls_profiles:make_server_context",
            "context.verify_mode = ssl.CERT_REQUIRED",
            "context.verify_mode = ssl.CERT_OPTIONAL",
        ),
        f"{_JOURNEY}test_a_certificate_of_another_authority_or_none_is_turned_away_by_tls",
    ),
    _mutant(
        "certificate-opens-any-account",
        Change(
            f"{_LOGIN}authenticate_certificate",
            "owner is not None and (not attempt.name or self._canonical(attempt.name) == owner)",
            "owner is not None",
        ),
        f"{_JOURNEY}test_nobody_acts_for_somebody_else_by_a_certificate",
    ),
    _mutant(
        "certificate-of-any-fingerprint",
        Change(f"{_LOGIN}_match_certificate", "known.fingerprint == shown.fingerprint and ", ""),
        f"{_JOURNEY}test_a_revoked_certificate_ends_its_sessions_and_opens_nothing",
    ),
    _mutant(
        "certificate-that-has-ended",
        Change(f"{_LOGIN}_match_certificate", " and known.expires_at > self._clock.now()", ""),
        f"{_JOURNEY}test_a_certificate_ends_by_itself_and_its_sessions_with_it",
    ),
    _mutant(
        "certificate-sessions-never-end",
        Change("hongyan.auth.revocations:Revocations.end_expired", "session.principal.ends_at <= now", "False"),
        "tests/auth/test_revocations.py::test_sessions_end_with_the_certificate_that_opened_them",
    ),
    _mutant(
        "external-without-certificate",
        Change(
            "hongyan.servers.sasl:Door.mechanisms_for", "if _certificate(peer) is not None else self.mechanisms", ""
        ),
        f"{_JOURNEY}test_external_is_offered_only_to_who_has_shown_a_certificate",
    ),
    _mutant(
        "certificates-outlive-a-password",
        Change(
            "hongyan.engines.sql.credentials:revoke_all",
            'yield from drop_credentials("client_certificates", account)',
            "()",
        ),
        f"{_JOURNEY}test_a_new_password_revokes_certificates_too",
        f"{_CONTRACT}test_a_new_password_and_the_end_of_an_account_revoke_certificates",
    ),
    _mutant(
        "certificates-without-number",
        Change(f"{_SQL}_add", "if count[0][0] >= limit:", "if False:"),
        f"{_CONTRACT}test_certificates_are_added_up_to_a_limit_and_revoked",
    ),
    _mutant(
        "client-authority-readable-by-all",
        Change("hongyan.auth.client_authority:load_client_authority", "if stat.S_IMODE(mode) & 0o077:", "if False:"),
        "tests/auth/test_client_authority.py::test_an_authority_that_others_may_read_is_refused",
    ),
    _mutant(
        "external-with-nul",
        Change("hongyan.wire.sasl:External.respond", 'if "\\0" in identity:', "if False:"),
        "tests/wire/test_sasl.py::test_a_broken_external_message_is_a_fault",
    ),
)
