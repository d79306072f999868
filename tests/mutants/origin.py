"""Mutants of the question where a message comes from: SPF, DKIM, DMARC, ARC, and what is made of the answers."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_ROWS = {
    "from": "header From",
    "forged": "forged Authentication-Results",
    "dkim": "DKIM",
    "spf": "SPF",
    "dmarc": "DMARC",
    "arc": "ARC",
}

_DKIM = "tests/mailauth/test_dkim.py::"
_ARC = "tests/mailauth/test_arc.py::"
_SPF = "tests/mailauth/test_spf.py::"
_DMARC = "tests/mailauth/test_dmarc.py::"
_AUTHOR = "tests/mailauth/test_dmarc_author.py::"
_INBOUND = "tests/inbound/test_origin.py::"

_SIGNATURE_CODE = "hongyan.mailauth.signature:"
_AUTHOR_CODE = "hongyan.mailauth.author:"
_ARC_CODE = "hongyan.mailauth.arc:"
_ORIGIN_CODE = "hongyan.screening.origin:"


def _mutant(name: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, _ROWS[name.partition("-")[0]], (change,), tests)


MUTANTS = (
    # -- the header From
    _mutant(
        "from-is-not-judged",
        Change(f"{_ORIGIN_CODE}_judge_author", "if not isinstance(authors, UnfitAuthor):", "if True:"),
        f"{_INBOUND}test_a_message_without_one_author_that_can_be_answered_is_refused",
    ),
    _mutant(
        "from-twice",
        Change(f"{_AUTHOR_CODE}_only_from", "if len(found) != 1:", "if not found:"),
        f"{_AUTHOR}test_there_is_one_from",
    ),
    _mutant(
        "from-missing",
        Change(
            f"{_AUTHOR_CODE}_only_from",
            "if len(found) != 1:",
            "if not found:\n        return b'<a@example.org>'\n    if len(found) != 1:",
        ),
        f"{_AUTHOR}test_there_is_one_from",
    ),
    _mutant(
        "from-with-a-hidden-address",
        Change(f"{_AUTHOR_CODE}_aside", "return domain if", "return None if"),
        f"{_AUTHOR}test_each_domain_that_somebody_could_read_counts",
    ),
    _mutant(
        "from-with-unclear-domain",
        Change(
            f"{_AUTHOR_CODE}_address",
            "_parse(candidate.text) if candidate.is_clear else None",
            "_parse(candidate.text)",
        ),
        f"{_AUTHOR}test_what_is_no_address_is_refused",
    ),
    _mutant(
        "from-of-an-address-literal",
        Change(f"{_AUTHOR_CODE}_address", "if domain.is_literal:", "if False:"),
        f"{_AUTHOR}test_an_address_literal_is_no_domain",
    ),
    _mutant(
        "from-without-number",
        Change(f"{_AUTHOR_CODE}_domains", "if len(chosen) > MAX_AUTHOR_DOMAINS:", "if False:"),
        f"{_AUTHOR}test_the_number_of_domains_is_bounded",
    ),
    # -- Authentication-Results
    _mutant(
        "forged-results-are-served",
        Change("hongyan.message.authres_claims:_claims", "if not sign and _canonical(word) in ours:", "if False:"),
        f"{_INBOUND}test_results_that_pretend_to_be_ours_are_kept_and_never_served",
        "tests/message/test_authres_claims.py::test_a_field_that_somebody_could_take_for_ours_is_found",
    ),
    _mutant(
        "forged-results-are-read-one-way",
        Change("hongyan.message.authres_claims:_readings", 'if b"(" in value:', "if False:"),
        "tests/message/test_authres_claims.py::test_whatever_reads_as_ours_is_found",
        "tests/message/test_authres_claims.py::test_a_field_that_somebody_could_take_for_ours_is_found",
    ),
    # -- DKIM
    _mutant(
        "dkim-part-of-the-body",
        Change(f"{_SIGNATURE_CODE}read_message_signature", 'if b"l" in tags:', "if False:"),
        f"{_DKIM}test_an_unusable_signature_says_why",
    ),
    _mutant(
        "dkim-without-from",
        Change(f"{_SIGNATURE_CODE}read_message_signature", 'if b"from" not in names:', "if False:"),
        f"{_DKIM}test_an_unusable_signature_says_why",
    ),
    _mutant(
        "dkim-expired",
        Change(f"{_SIGNATURE_CODE}_require_time", "if expires < (now - _CLOCK_SKEW).timestamp():", "if False:"),
        f"{_DKIM}test_a_signature_expires_with_ninety_seconds_of_grace",
    ),
    _mutant(
        "dkim-sha1",
        Change(
            f"{_SIGNATURE_CODE}_read_algorithm",
            'if algorithm == "rsa-sha1":',
            'if algorithm == "rsa-sha1":\n        return "rsa-sha256"\n    if False:',
        ),
        f"{_DKIM}test_an_unusable_signature_says_why",
    ),
    _mutant(
        "dkim-short-key",
        Change(
            f"{_SIGNATURE_CODE}require_fit",
            "if isinstance(key.public, RSAPublicKey) and bits < _MIN_RSA_BITS:",
            "if False:",
        ),
        f"{_DKIM}test_an_rsa_key_below_1024_bits_does_not_pass",
        f"{_ARC}test_an_rsa_key_below_1024_bits_does_not_seal",
    ),
    _mutant(
        "dkim-costly-key",
        Change(
            "hongyan.mailauth.dkim_record:_public_key",
            "if public.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:",
            "if False:",
        ),
        f"{_DKIM}test_an_rsa_key_that_costs_too_much_is_not_used",
    ),
    _mutant(
        "dkim-body-is-not-hashed",
        Change(
            "hongyan.mailauth.dkim:Verifier.results",
            "elif signed.message.body_digest != self._body.digest(signed.message.body_form):",
            "elif False:",
        ),
        f"{_DKIM}test_a_changed_body_fails_without_a_look_at_dns",
    ),
    _mutant(
        "dkim-header-is-not-verified",
        Change(
            f"{_SIGNATURE_CODE}verify",
            "if isinstance(key.public, RSAPublicKey):",
            "if True:\n        return\n    elif isinstance(key.public, RSAPublicKey):",
        ),
        f"{_DKIM}test_a_changed_or_added_field_fails",
    ),
    _mutant(
        "dkim-identity-of-others",
        Change(
            "hongyan.mailauth.dkim:_read_identity",
            'if host != domain and not host.endswith(f".{domain}"):',
            "if False:",
        ),
        f"{_DKIM}test_an_unusable_signature_says_why",
    ),
    _mutant(
        "dkim-strict-key-for-all",
        Change("hongyan.mailauth.dkim:Verifier._check", "if key.strict and", "if False and"),
        f"{_DKIM}test_a_strict_key_is_not_for_subdomains",
    ),
    _mutant(
        "dkim-revoked-key",
        Change("hongyan.mailauth.dkim_record:parse_key_record", 'if not tags[b"p"]:', "if False:"),
        f"{_DKIM}test_a_key_record_is_held_to_the_standard",
    ),
    _mutant(
        "dkim-signatures-without-number",
        Change("hongyan.mailauth.dkim:Verifier.__init__", "if len(self._signatures) == MAX_SIGNATURES:", "if False:"),
        f"{_DKIM}test_ten_signatures_are_looked_at_and_no_more",
    ),
    # -- SPF
    _mutant(
        "spf-terms-without-number",
        Change(
            "hongyan.mailauth.spf_questions:Questions.count_term", "if self.terms == self._limits.terms:", "if False:"
        ),
        f"{_SPF}test_ten_terms_may_ask_and_no_more",
    ),
    _mutant(
        "spf-voids-without-number",
        Change(
            "hongyan.mailauth.spf_questions:Questions._count_void", "if self.voids > self._limits.voids:", "if False:"
        ),
        f"{_SPF}test_two_terms_may_ask_in_vain_and_no_more",
    ),
    _mutant(
        "spf-exchangers-without-number",
        Change(
            "hongyan.mailauth.spf_questions:Questions.has_exchanger",
            "if len(exchangers) > self._limits.names:",
            "if False:",
        ),
        f"{_SPF}test_more_than_ten_exchangers_are_an_error",
    ),
    _mutant(
        "spf-pointers-without-number",
        Change("hongyan.mailauth.spf_questions:Questions._find_pointers", "records[: self._limits.names]", "records"),
        f"{_SPF}test_names_of_the_reverse_zone_are_asked_for_once_and_only_ten",
    ),
    _mutant(
        "spf-questions-without-number",
        Change(
            "hongyan.mailauth.spf_questions:Questions._spend", "if self.asked == self._limits.questions:", "if False:"
        ),
        f"{_SPF}test_the_caller_limits_the_questions",
    ),
    _mutant(
        "spf-without-deadline",
        Change(
            "hongyan.mailauth.spf_questions:Questions._spend",
            "if self._inquiry.clock.monotonic() >= self._inquiry.deadline:",
            "if False:",
        ),
        f"{_SPF}test_nothing_is_asked_after_the_deadline",
    ),
    _mutant(
        "spf-two-records",
        Change("hongyan.mailauth.spf_questions:Questions.record", "if len(records) > 1:", "if False:"),
        f"{_SPF}test_the_one_record_of_the_domain_is_found",
    ),
    _mutant(
        "spf-record-of-any-length",
        Change("hongyan.mailauth.spf_record:parse_record", "if len(octets) > MAX_RECORD:", "if False:"),
        "tests/mailauth/test_spf_record.py::test_a_record_beyond_the_limit_is_not_read",
    ),
    _mutant(
        "spf-pointer-is-not-confirmed",
        Change(
            "hongyan.mailauth.spf_questions:Questions._is_confirmed",
            "if name not in self._confirmed:",
            "if True:\n            return True\n        if name not in self._confirmed:",
        ),
        f"{_SPF}test_each_mechanism",
        f"{_SPF}test_the_macro_p_is_a_name_that_leads_back",
    ),
    # -- DMARC
    _mutant(
        "dmarc-reject-is-not-obeyed",
        Change(
            f"{_ORIGIN_CODE}_judge_dmarc",
            'if dmarc.disposition is Policy.REJECT and options.dmarc == "enforce":',
            "if False:",
        ),
        f"{_INBOUND}test_a_message_that_its_author_s_policy_refuses_is_refused_and_not_stored",
    ),
    _mutant(
        "dmarc-quarantine-is-not-obeyed",
        Change(
            f"{_ORIGIN_CODE}_judge_dmarc",
            "disposition=Disposition.JUNK, text=text)",
            "disposition=Disposition.ACCEPT, text=text)",
        ),
        f"{_INBOUND}test_a_message_that_its_author_s_policy_suspects_goes_to_junk",
    ),
    _mutant(
        "dmarc-by-helo",
        Change(
            "hongyan.inbound.origin:Origin._identifiers",
            "if spf is not None and self._sender is not None:",
            "if spf is not None:",
        ),
        f"{_INBOUND}test_spf_of_the_name_in_helo_vouches_for_no_author",
    ),
    _mutant(
        "dmarc-best-author-wins",
        Change("hongyan.mailauth.dmarc:check_dmarc", "return max(results,", "return min(results,"),
        f"{_DMARC}test_of_several_authors_the_worst_counts",
    ),
    _mutant(
        "dmarc-everything-is-aligned",
        Change("hongyan.mailauth.dmarc:_Alignment.any", "if self._author in candidates:", "if candidates:"),
        f"{_DMARC}test_domains_that_only_look_alike_are_not_aligned",
        f"{_DMARC}test_alignment_as_in_the_examples",
    ),
    _mutant(
        "dmarc-strict-is-relaxed",
        Change("hongyan.mailauth.dmarc:_Alignment.any", "if mode is AlignmentMode.STRICT:", "if False:"),
        f"{_DMARC}test_alignment_as_in_the_examples",
    ),
    _mutant(
        "dmarc-walk-without-end",
        Constant("hongyan.mailauth.dmarc_tree:MAX_QUESTIONS", 1000),
        f"{_DMARC}test_a_walk_asks_eight_names_at_most",
        f"{_DMARC}test_deep_example_of_the_tree_walk",
    ),
    _mutant(
        "dmarc-any-sealer-is-believed",
        Change(f"{_ORIGIN_CODE}_is_vouched_for", "if not trusted.issuperset(arc.domains):", "if False:"),
        f"{_INBOUND}test_a_sealer_that_is_trusted_may_say_that_it_saw_dmarc_pass",
    ),
    _mutant(
        "spf-fail-is-not-obeyed",
        Change(f"{_ORIGIN_CODE}_judge_spf", "if spf is None or spf.status is not SpfStatus.FAIL or", "if True or"),
        f"{_INBOUND}test_spf_that_fails_alone_leads_to_junk_or_to_where_the_operator_says",
    ),
    # -- ARC
    _mutant(
        "arc-sets-without-number",
        Constant("hongyan.mailauth.arc:MAX_SETS", 100_000),
        f"{_ARC}test_more_than_fifty_sets_fail_without_a_look_at_dns",
        f"{_ARC}test_a_number_is_one_from_1_to_50",
    ),
    _mutant(
        "arc-seals-are-not-verified",
        Change(f"{_ARC_CODE}ArcVerifier.finish", "await _require_seals(chain.sets, keys)", "pass"),
        f"{_ARC}test_a_set_that_somebody_changed_breaks_the_chain",
        f"{_ARC}test_an_older_seal_is_verified_too",
    ),
    _mutant(
        "arc-body-is-not-hashed",
        Change(
            f"{_ARC_CODE}ArcVerifier._require_message",
            "if message.body_digest != self._body.digest(message.body_form):",
            "if False:",
        ),
        f"{_ARC}test_a_changed_body_breaks_the_chain_without_a_look_at_dns",
    ),
    _mutant(
        "arc-sealed-as-broken",
        Change(
            f"{_ARC_CODE}_read_seal",
            'if tags[b"cv"].lower() != (b"none" if seal.instance == 1 else b"pass"):',
            "if False:",
        ),
        f"{_ARC}test_the_first_seal_says_none_and_each_other_one_pass",
    ),
    _mutant(
        "arc-fields-twice",
        Change(f"{_ARC_CODE}_read_sets", "if (name, part.instance) in found:", "if False:"),
        f"{_ARC}test_a_set_has_each_of_its_fields_once",
    ),
    _mutant(
        "arc-signs-seals",
        Change(
            f"{_ARC_CODE}_read_message",
            'if _SEAL in unfold(message.tags.get(b"h", b"")).lower().split(b":"):',
            "if False:",
        ),
        f"{_ARC}test_a_signature_of_the_message_is_held_to_the_rules_of_dkim",
    ),
    _mutant(
        "from-keeps-others-waiting",
        Change("hongyan.inbound.origin:_read_authors", "if len(header) < _IN_A_THREAD else", "if True else"),
        "tests/inbound/test_origin.py::test_thousands_of_authors_are_read_beside_the_loop",
    ),
)
