"""Mutants of what mail programs are told."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "questions of mail programs"
_DOCUMENTS = "hongyan.domains.client_documents:_AutodiscoverReader."
_PROFILES = "tests/web/test_apple_profiles.py::"
_TEST = "tests/web/test_autoconfig.py::"
_FAULTS = f"{_TEST}test_outlook_is_told_of_a_fault_in_its_own_way"


def _mutant(name: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (change,), tests)


MUTANTS = (
    _mutant(
        "autodiscover-with-entities",
        Change(f"{_DOCUMENTS}_refuse", "raise AutodiscoverFault", "pass"),
        _FAULTS,
    ),
    _mutant(
        "autodiscover-nests-without-end",
        Change(f"{_DOCUMENTS}_start", "if len(self._path) > _MAX_DEPTH:", "if False:"),
        _FAULTS,
    ),
    _mutant(
        "autodiscover-in-the-clear",
        Change("hongyan.web.autoconfig:_Places.autodiscover", 'if request.url.scheme != "https":', "if False:"),
        f"{_TEST}test_outlook_is_led_from_one_form_to_the_other_and_from_plain_http_to_tls",
    ),
    _mutant(
        "autoconfig-without-end",
        Change("hongyan.web.autoconfig:_take", "if wait:", "if False:"),
        f"{_TEST}test_a_network_that_asks_without_end_is_told_to_wait",
    ),
    _mutant(
        "profile-links-for-ever",
        Change(
            "hongyan.web.api.apple_profiles:AppleProfileResource.fetch",
            "promised.expires_at <= self._clock.now()",
            "False",
        ),
        f"{_PROFILES}test_a_link_is_for_who_has_stepped_up_and_ends",
    ),
    _mutant(
        "profile-links-used-twice",
        Change(
            "hongyan.web.api.apple_profiles:AppleProfileResource.fetch",
            "self._promised.pop(token, None)",
            "self._promised.get(token)",
        ),
        f"{_PROFILES}test_a_telephone_that_takes_the_picture_is_set_up",
    ),
)
