"""Mutants of how mail is shown: HTML, its style, links, attachments."""

from __future__ import annotations

__all__ = ["MUTANTS"]

import re

from tests.mutants import Change, Constant, Mutant

_HTML = "HTML mail"
_REMOTE = "pictures elsewhere"
_STYLE = "style of mail"
_LINKS = "links that mislead"
_FILES = "attachments"

_CLEANER = "hongyan.message.html:_Cleaner."
_COMPONENT = "hongyan.message.css:StyleCleaner."
_TEST = "tests/message/test_html.py::"
_CLEAN = f"{_TEST}test_no_attack_comes_through"
_BOMBS = f"{_TEST}test_what_is_too_much_is_not_cleaned"
_VIEW = "tests/web/test_view.py::"
_PICTURES = "tests/web/test_pictures.py::"
_JUDGED = "tests/message/test_links.py::test_a_link_is_judged_by_what_it_shows_and_where_it_leads"


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "html-nests-without-end",
        _HTML,
        Change(f"{_CLEANER}_push", "if len(self._open) >= MAX_DEPTH:", "if False:"),
        _BOMBS,
    ),
    _mutant(
        "html-elements-without-number",
        _HTML,
        Change(f"{_CLEANER}_start", "if self._elements > MAX_ELEMENTS:", "if False:"),
        _BOMBS,
    ),
    _mutant(
        "html-of-any-size",
        _HTML,
        Change("hongyan.message.html:clean_html", "if len(html) > MAX_HTML:", "if False:"),
        _BOMBS,
    ),
    _mutant(
        "remote-pictures-are-fetched",
        _HTML,
        Change(f"{_CLEANER}_map_image", "if host is None or len(url) > _MAX_URL:", "return url\n        if False:"),
        _CLEAN,
        f"{_TEST}test_pictures_come_by_the_readers_policy_alone",
    ),
    _mutant(
        "pictures-of-any-kind",
        _HTML,
        Constant("hongyan.message.html:_DATA_IMAGE", re.compile(r"data:.*", re.DOTALL)),
        _CLEAN,
    ),
    _mutant(
        "names-of-the-sender-are-ours",
        _HTML,
        Change("hongyan.message.html:_own", "PREFIX + name", "name"),
        _CLEAN,
    ),
    _mutant(
        "frame-with-scripts",
        _HTML,
        Constant("hongyan.web.api.view:FRAME_POLICY", "default-src *; sandbox allow-scripts allow-same-origin"),
        f"{_VIEW}test_a_message_is_shown_in_a_frame_of_its_own_and_what_is_odd_is_told_beside",
    ),
    _mutant(
        "messages-of-others",
        _HTML,
        # Two walls: the id tells its account, and the store looks into one account alone.
        Change(
            "hongyan.web.reading:MessageReader.load",
            "email = email_id_of(account, email_id)",
            "email = EmailId(int(email_id[1:], 16))\n        account = AccountId(email >> 32)",
        ),
        f"{_VIEW}test_nobody_sees_the_messages_of_others",
    ),
    _mutant(
        "pictures-without-a-seal",
        _HTML,
        Change("hongyan.web.seals:Seals.is_whole", "return in_time and", "return in_time or"),
        f"{_VIEW}test_a_message_is_shown_in_a_frame_of_its_own_and_what_is_odd_is_told_beside",
    ),
    _mutant(
        "pictures-elsewhere-without-a-seal",
        _REMOTE,
        Change(
            "hongyan.web.api.view:ViewResource.remote_picture",
            "if not self._seals.is_whole(seal, until, _REMOTE, str(account), url):",
            "if False:",
        ),
        f"{_PICTURES}test_pictures_elsewhere_are_shown_when_the_reader_says_so_through_this_server",
    ),
    _mutant(
        "pictures-from-private-addresses",
        _REMOTE,
        Change("hongyan.assembly.strangers_https:make_https_client", "return allows_all or", "return True or"),
        f"{_PICTURES}test_private_addresses_are_not_asked",
    ),
    _mutant(
        "pictures-from-any-port",
        _REMOTE,
        Change("hongyan.web.picture_proxy:_target", "parts.port not in (None, 80, 443)", "False"),
        f"{_PICTURES}test_nothing_is_asked_for_at_ports_and_places_that_are_no_webs",
    ),
    _mutant(
        "pictures-by-what-their-host-says",
        _REMOTE,
        Change("hongyan.web.picture_proxy:PictureProxy.fetch", "if media_type is None:", "if False:"),
        f"{_PICTURES}test_what_is_no_picture_is_not_passed_on_whatever_its_host_calls_it",
    ),
    _mutant(
        "pictures-kept-without-bound",
        _REMOTE,
        Change("hongyan.web.picture_proxy:PictureProxy._keep", "while self._octets > _KEPT_OCTETS:", "while False:"),
        f"{_PICTURES}test_what_is_kept_has_a_size",
    ),
    _mutant(
        "sender-trusted-by-its-name",
        _REMOTE,
        Change(
            "hongyan.web.api.view:ViewResource._is_trusted",
            "if _read_origin(message, self._hostname).verdict is not OriginVerdict.VERIFIED:",
            "if False:",
        ),
        f"{_PICTURES}test_a_trusted_sender_is_believed_where_its_origin_is_proven",
    ),
    _mutant(
        "style-fetches",
        _STYLE,
        Change(f"{_COMPONENT}_image", "if not _URL.fullmatch(mapped):", "if False:"),
        f"{_TEST}test_a_policy_that_errs_does_no_harm",
    ),
    _mutant(
        "style-with-any-function",
        _STYLE,
        Change(f"{_COMPONENT}_component", "if node.lower_name in _FUNCTIONS:", "if True:"),
        _CLEAN,
    ),
    _mutant(
        "links-show-any-host",
        _LINKS,
        Change("hongyan.message.links:judge_link", "if shown is not None and", "if False and shown is not None and"),
        _JUDGED,
    ),
    _mutant(
        "scripts-mix",
        _LINKS,
        Change("hongyan.message.links:_judge_host", "if len(scripts) > 1 and", "if False and"),
        _JUDGED,
    ),
    _mutant(
        "look-alikes-pass",
        _LINKS,
        Constant("hongyan.message.links:_CONFUSABLE", frozenset()),
        _JUDGED,
    ),
    _mutant(
        "attachments-are-pages",
        _FILES,
        Change(
            "hongyan.web.downloads:attachment_headers", "shown = inline and can_preview(media_type)", "shown = inline"
        ),
        f"{_VIEW}test_attachments_are_downloaded_and_only_harmless_ones_are_shown",
    ),
    _mutant(
        "attachments-with-paths",
        _FILES,
        Change("hongyan.message.presentation:safe_name", 're.split(r"[/\\\\]", name)[-1]', "name"),
        f"{_VIEW}test_all_attachments_come_as_one_archive_with_safe_names_of_any_script",
    ),
)
