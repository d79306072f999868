"""Mutants of the wire of SMTP: where messages and lines end, what may come when, how much of it."""

from __future__ import annotations

__all__ = ["MUTANTS"]

import re

from tests.mutants import Change, Constant, Mutant

_SMUGGLING_IN = "SMTP smuggling, inbound"
_SMUGGLING_OUT = "SMTP smuggling, outbound"
_STARTTLS = "STARTTLS command injection"
_RESPONSES = "response injection, client side"
_PIPELINING = "pipelining behind a synchronisation point"
_LINES = "NUL, 8-bit, lines without end"
_BDAT = "BDAT abuse"
_INJECTION = "header injection"
_FLOODS = "floods and slow clients"

_DIALOGUE = "tests/dialogues/test_dialogues.py::test_dialogue"
_HOSTILE = "tests/wire/smtp/test_hostile.py::"
_SERVER = "tests/wire/smtp/test_server.py::"
_CLIENT = "tests/wire/smtp/test_client.py::"

_SERVER_CODE = "hongyan.wire.smtp.server:ServerConnection."
_CLIENT_CODE = "hongyan.wire.smtp.client:ClientConnection."
_LINE_CODE = "hongyan.wire.lines:LineReceiver."


def _also_ends_with(name: str, pattern: str) -> Mutant:
    """A server that takes one more sequence for the end of a message."""
    find = "end = octets.find(_END)"
    replaced = f"octets = __import__('re').sub(rb'{pattern}', _END, octets)\n        {find}"
    return Mutant(
        f"data-ends-with-{name}",
        _SMUGGLING_IN,
        (Change("hongyan.wire.smtp.data:DataReceiver.feed", find, replaced),),
        (f"{_HOSTILE}test_a_smuggled_message_is_refused_and_the_connection_closes",),
    )


MUTANTS = (
    # -- where a message and a line end
    _also_ends_with("lf-dot-lf", r"(?<!\r)\n\.\n"),
    _also_ends_with("lf-dot-crlf", r"(?<!\r)\n\.\r\n"),
    _also_ends_with("crlf-dot-lf", r"\r\n\.\n"),
    _also_ends_with("cr-dot-cr", r"\r\.\r(?!\n)"),
    _also_ends_with("crlf-dot-cr", r"\r\n\.\r(?!\n)"),
    Mutant(
        "data-keeps-bare-newlines",
        _SMUGGLING_IN,
        (Change("hongyan.wire.smtp.data:DataReceiver.feed", "odd = odd_octets(certain)", "odd = b''"),),
        (
            f"{_DIALOGUE}[smtp/data: The same with LF . LF]",
            f"{_HOSTILE}test_a_smuggled_message_is_refused_and_the_connection_closes",
        ),
    ),
    Mutant(
        "data-keeps-dots-doubled",
        _SMUGGLING_IN,
        (Change("hongyan.wire.smtp.data:DataReceiver.feed", 'certain.replace(b"\\r\\n.", b"\\r\\n")', "certain"),),
        ("tests/wire/smtp/test_data.py::test_dots_are_undone",),
    ),
    Mutant(
        "command-ends-with-lf",
        _SMUGGLING_IN,
        (
            Change(
                f"{_LINE_CODE}next_line",
                'raise BareNewline("A line was ended by a bare LF")',
                "return self._buffer[start:end]",
            ),
        ),
        (
            f"{_DIALOGUE}[smtp/session: NUL, bare LF and bare CR in commands]",
            "tests/wire/test_lines.py::test_only_crlf_ends_a_line",
        ),
    ),
    Mutant(
        "command-holds-cr",
        _SMUGGLING_IN,
        (Change(f"{_LINE_CODE}next_line", r'if b"\r" in line:', "if False:"),),
        (
            f"{_HOSTILE}test_a_command_line_that_another_server_reads_otherwise_closes",
            "tests/wire/test_lines.py::test_only_crlf_ends_a_line",
        ),
    ),
    Mutant(
        "bdat-keeps-bare-newlines",
        _BDAT,
        (Change("hongyan.wire.lines:CrlfCheck.feed", "if odd:", "if False:"),),
        (f"{_SERVER}TestChunking::test_a_bare_newline_in_a_chunk_is_refused_without_closing",),
    ),
    Mutant(
        "content-leaves-unclean",
        _SMUGGLING_OUT,
        (Change(f"{_CLIENT_CODE}content", "self._check.feed(octets)", "pass"),),
        (
            f"{_CLIENT}TestSession::test_content_that_could_be_smuggled_is_dropped",
            "tests/clients/test_smtp.py::test_content_that_could_be_smuggled_is_not_sent",
        ),
    ),
    Mutant(
        "dots-leave-undoubled",
        _SMUGGLING_OUT,
        (Change("hongyan.wire.lines:DotStuffer.feed", r'octets.replace(b"\r\n.", b"\r\n..")', "octets"),),
        (
            f"{_DIALOGUE}[submission/sending: Dots are doubled on the way out]",
            "tests/wire/test_lines.py::test_dots_are_stuffed",
        ),
    ),
    Mutant(
        "dot-in-front-leaves-undoubled",
        _SMUGGLING_OUT,
        (
            Change(
                "hongyan.wire.lines:DotStuffer.feed",
                r'if self._tail == b"\r\n" and octets.startswith(b"."):',
                "if False:",
            ),
        ),
        ("tests/wire/test_lines.py::test_dots_are_stuffed",),
    ),
    # -- STARTTLS
    Mutant(
        "commands-survive-starttls",
        _STARTTLS,
        (Change(f"{_SERVER_CODE}_start_tls", "self._lines.clear()", "pass"),),
        (
            f"{_SERVER}TestTls::test_commands_injected_before_tls_are_thrown_away",
            f"{_DIALOGUE}[smtp/session: What comes behind STARTTLS in the clear is dropped]",
        ),
    ),
    Mutant(
        "commands-before-the-handshake",
        _STARTTLS,
        (Change(f"{_SERVER_CODE}receive_data", "not self.closing and not self.starttls", "not self.closing"),),
        (f"{_SERVER}TestTls::test_octets_between_220_and_the_handshake_are_thrown_away",),
    ),
    Mutant(
        "session-survives-starttls",
        _STARTTLS,
        (Change(f"{_SERVER_CODE}tls_started", "self._order.start_session(tls=True)", "self._order.tls = True"),),
        (
            f"{_SERVER}TestTls::test_everything_is_said_anew_under_tls",
            f"{_DIALOGUE}[smtp/session: A transaction begun before STARTTLS is void]",
        ),
    ),
    Mutant(
        "login-before-tls",
        _STARTTLS,
        (
            Change(
                "hongyan.wire.smtp.order:CommandOrder.check_auth",
                "if not self.offer.offers_auth(tls=self.tls):",
                "if False:",
            ),
        ),
        (f"{_SERVER}TestLogin::test_only_under_tls",),
    ),
    Mutant(
        "replies-survive-starttls",
        _RESPONSES,
        (Change(f"{_CLIENT_CODE}_tls_answered", "self._replies.clear()", "pass"),),
        (
            f"{_CLIENT}TestTls::test_replies_injected_before_tls_are_thrown_away",
            "tests/clients/test_smtp.py::test_replies_injected_after_starttls_are_thrown_away",
        ),
    ),
    Mutant(
        "replies-before-the-handshake",
        _RESPONSES,
        (Change(f"{_CLIENT_CODE}receive_data", "not self.closing and not self.starttls", "not self.closing"),),
        (f"{_CLIENT}TestTls::test_octets_between_220_and_the_handshake_are_thrown_away",),
    ),
    Mutant(
        "offers-survive-starttls",
        _RESPONSES,
        (Change(f"{_CLIENT_CODE}tls_started", "self._say_hello()", "self._ready(NO_CAPABILITIES)"),),
        (f"{_CLIENT}TestTls::test_capabilities_are_asked_for_again",),
    ),
    Mutant(
        "replies-to-nothing",
        _RESPONSES,
        (
            Change(
                f"{_CLIENT_CODE}_take",
                "self._end(self._stage(), reply if reply.is_transient else replies.NEXT_HOP_BABBLES)",
                "pass",
            ),
        ),
        (f"{_CLIENT}TestSession::test_a_reply_to_nothing_ends_the_session",),
    ),
    Mutant(
        "yes-to-another-question",
        _RESPONSES,
        (Change(f"{_CLIENT_CODE}_data_answered", "if reply.code != 354:", "if reply.code >= 400:"),),
        (f"{_CLIENT}TestSession::test_a_yes_to_another_question_is_no_yes_to_data",),
    ),
    Mutant(
        "password-without-tls",
        _RESPONSES,
        (
            Change(f"{_CLIENT_CODE}log_in", "if not self._tls and not without_tls:", "if False:"),
            Change(
                "hongyan.clients.smtp_session:SmtpSession._log_in",
                "if not (self.is_encrypted or is_here):",
                "if False:",
            ),
        ),
        (
            f"{_CLIENT}TestLogin::test_no_password_without_tls",
            "tests/clients/test_smtp.py::test_no_password_goes_in_the_clear_but_on_loopback",
        ),
    ),
    # -- what may come when
    Mutant(
        "octets-behind-ehlo",
        _PIPELINING,
        (
            Change(f"{_SERVER_CODE}_require_silence", "if self._lines.buffered:", "if False:"),
            Change(f"{_SERVER_CODE}_client_is_ahead", "if self._lines.buffered:", "if False:"),
        ),
        (f"{_HOSTILE}test_nothing_may_follow_a_synchronization_point", f"{_HOSTILE}test_nothing_may_follow_auth"),
    ),
    Mutant(
        "octets-ahead-of-answers",
        _PIPELINING,
        (Change(f"{_SERVER_CODE}_client_is_ahead", "if self._lines.buffered:", "if False:"),),
        (
            f"{_HOSTILE}test_who_does_not_wait_for_354_is_turned_away",
            f"{_HOSTILE}test_who_does_not_wait_for_the_answer_to_ehlo_is_turned_away",
        ),
    ),
    Mutant(
        "octets-before-the-greeting",
        _PIPELINING,
        (Change(f"{_SERVER_CODE}greet", "if not self._client_is_ahead():", "if True:"),),
        (
            f"{_HOSTILE}test_who_speaks_before_the_greeting_is_turned_away",
            f"{_DIALOGUE}[smtp/session: What is sent before the greeting, behind EHLO or ahead of an answer]",
        ),
    ),
    Mutant(
        "browsers-are-answered",
        _PIPELINING,
        (Change("hongyan.wire.smtp.commands:parse_command", "if verb in _NOT_SMTP:", "if False:"),),
        ("tests/wire/smtp/test_commands.py::test_a_browser_is_not_listened_to",),
    ),
    # -- lines and octets
    Mutant(
        "nul-in-commands",
        _LINES,
        (Change(f"{_LINE_CODE}next_line", r'if b"\0" in line:', "if False:"),),
        ("tests/wire/test_lines.py::test_only_crlf_ends_a_line",),
    ),
    Mutant(
        "nul-in-messages",
        _LINES,
        (Change("hongyan.wire.smtp.data:DataReceiver.feed", "self.holds_nul = True", "pass"),),
        (
            f"{_SERVER}TestMessage::test_a_nul_is_refused_at_the_end",
            f"{_DIALOGUE}[smtp/data: NUL is refused, and the connection goes on]",
        ),
    ),
    Mutant(
        "odd-characters-in-commands",
        _LINES,
        (Change("hongyan.wire.smtp.commands:_decode", "if not sound:", "if False:"),),
        (
            f"{_DIALOGUE}[smtp/session: 8-bit in commands]",
            "tests/wire/smtp/test_commands.py::test_what_is_wrong_has_one_reply",
        ),
    ),
    Mutant(
        "long-lines-are-commands",
        _LINES,
        (
            Change(f"{_LINE_CODE}next_line", "if length > self.limit:", "if False:"),
            Change(f"{_SERVER_CODE}_read_command", "if len(line) > COMMAND_LIMIT - 2 and", "if False and"),
        ),
        (f"{_DIALOGUE}[smtp/session: Long lines]",),
    ),
    Mutant(
        "long-lines-are-kept",
        _LINES,
        (Change(f"{_LINE_CODE}_wait_for_more", "if length - self._position <= self.limit:", "if True:"),),
        ("tests/wire/test_lines.py::test_an_overlong_line_is_not_kept",),
    ),
    # -- BDAT
    Mutant(
        "bdat-without-bound",
        _BDAT,
        (
            Change(
                "hongyan.wire.smtp.reader:MessageReader.can_be_eaten",
                "return self.size + chunk_size <= self._limit + EATEN_BEYOND",
                "return True",
            ),
        ),
        (
            f"{_SERVER}TestChunking::test_a_chunk_that_is_far_too_large_closes",
            f"{_SERVER}TestMessage::test_a_message_without_end_is_cut_off",
        ),
    ),
    Mutant(
        "bdat-of-any-size",
        _BDAT,
        (
            Change(
                "hongyan.wire.smtp.reader:MessageReader.fits",
                "return self.size + chunk_size <= self._limit",
                "return True",
            ),
        ),
        (
            f"{_SERVER}TestChunking::test_a_chunk_that_is_too_large_is_eaten",
            f"{_SERVER}TestMessage::test_a_message_beyond_the_size_is_eaten_and_refused",
        ),
    ),
    Mutant(
        "bdat-then-data",
        _BDAT,
        (Change("hongyan.wire.smtp.order:CommandOrder.check_data", "replies.BDAT_OPEN if self.chunking else ", ""),),
        (f"{_SERVER}TestChunking::test_data_after_bdat_is_refused_and_bdat_goes_on",),
    ),
    Mutant(
        "bdat-refused-is-not-eaten",
        _BDAT,
        (
            Change(
                f"{_SERVER_CODE}_begin_chunk",
                "reader.begin_chunk(command.size,",
                "reader.begin_chunk(0 if reader.refusal else command.size,",
            ),
        ),
        (f"{_DIALOGUE}[smtp/bdat: A chunk without a transaction is eaten]",),
    ),
    Mutant(
        "bdat-of-no-size",
        _BDAT,
        (
            Change(
                "hongyan.wire.smtp.commands:_bdat",
                "raise CommandFault(replies.BDAT_SYNTAX, fatal=True)",
                "raise CommandFault(replies.BDAT_SYNTAX)",
            ),
        ),
        (
            f"{_SERVER}TestChunking::test_a_size_that_is_none_closes",
            f"{_DIALOGUE}[smtp/bdat: Sizes that are none end the connection: where the next command is nobody knows]",
        ),
    ),
    # -- what strangers write into our lines
    Mutant(
        "helo-forges-fields",
        _INJECTION,
        (Constant("hongyan.wire.smtp.commands:_NAME_UNFIT", re.compile("(?!)")),),
        (f"{_HOSTILE}test_a_name_cannot_break_a_header_line",),
    ),
    Mutant(
        "replies-forge-lines",
        _INJECTION,
        (
            Change(
                "hongyan.wire.smtp.reply_receiver:ReplyReceiver.next_reply",
                '_UNFIT.sub("?", text.decode("utf-8", "replace"))',
                'text.decode("utf-8", "replace")',
            ),
        ),
        (f"{_CLIENT}TestSession::test_a_reply_cannot_break_a_log_or_a_header",),
    ),
    # -- how much of it
    Mutant(
        "recipients-without-number",
        _FLOODS,
        (Change(f"{_SERVER_CODE}_rcpt", "if self._order.recipients >= self._offer.max_recipients:", "if False:"),),
        (
            f"{_HOSTILE}test_a_flood_of_recipients_is_bounded",
            f"{_DIALOGUE}[smtp/recipients: So many recipients and no more]",
        ),
    ),
    Mutant(
        "faults-without-number",
        _FLOODS,
        (Change(f"{_SERVER_CODE}_fault", "if self._faults > self._offer.max_faults:", "if False:"),),
        (f"{_SERVER}test_faults_have_a_limit", f"{_DIALOGUE}[smtp/session: Too many faults end the connection]"),
    ),
    Mutant(
        "idle-commands-without-number",
        _FLOODS,
        (
            Change(
                f"{_SERVER_CODE}_count_idle_command",
                "if self._idle_commands > self._offer.max_idle_commands:",
                "if False:",
            ),
        ),
        (f"{_SERVER}test_commands_without_mail_have_a_limit",),
    ),
    Mutant(
        "messages-without-number",
        _FLOODS,
        (
            Change(
                "hongyan.wire.smtp.order:CommandOrder.check_mail",
                "if self.messages >= self.offer.max_messages:",
                "if False:",
            ),
        ),
        (f"{_SERVER}test_messages_have_a_limit",),
    ),
    Mutant(
        "failed-logins-without-number",
        "brute force",
        (Change(f"{_SERVER_CODE}_end_auth", "self._faults += not authenticated", "pass"),),
        (f"{_SERVER}TestLogin::test_failures_have_a_limit",),
    ),
    Mutant(
        "silence-without-end",
        _FLOODS,
        (Change(f"{_SERVER_CODE}timed_out", "if not self.closing:", "if False:"),),
        (f"{_SERVER}test_silence_ends_the_session",),
    ),
)
