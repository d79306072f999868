"""Mail::IMAPClient of Perl: what an administrator's script does."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

PERL = ("libmail-imapclient-perl", "libio-socket-ssl-perl")
BEGIN = """
use strict; use warnings; use utf8; use Mail::IMAPClient;
my ($port, $user, $secret, $ca, $other) = @ARGV;
my $imap = Mail::IMAPClient->new(
    Server => 'localhost', Port => $port, User => $user, Password => $secret, Uid => 1, Peek => 1,
    Ssl => [SSL_ca_file => $ca, SSL_verifycn_name => 'localhost'], Authmechanism => 'PLAIN',
) or die "$@";
sub must { my ($got, $what) = @_; defined $got or die "$what: " . $imap->LastError; return $got; }
sub letter { my ($id, $subject, $answers) = @_; return join "\\r\\n", 'From: goose@elsewhere.test', "Subject: $subject",
    "Message-ID: <$id\\@x.test>", ($answers ? "In-Reply-To: <$answers\\@x.test>" : ()), '', 'Honk.', ''; }
"""
"""A session begins; what it gets is made sure of."""


def run(office: Office, owner: Owner, port: int, script: str, *more: str) -> str:
    file = office.write("script.pl", BEGIN + script)
    arguments = (file, str(port), owner.address, owner.secret, office.authority, *more)
    return office.run(PERL, "perl", *arguments)


MESSAGES = """
must($imap->create('Work'), 'create');
my $new_year = '01-Jan-2020 00:00:00 +0000';
my $first = must($imap->append_string('Work', letter(1, 'Pears'), '\\\\Flagged', $new_year), 'append');
must($imap->append('Work', letter(2, 'Apples')), 'append');
must($imap->append('Work', letter(3, 'Re: pears', 1)), 'append');
must($imap->select('Work'), 'select');
print "count ", $imap->message_count, " uid $first\\n";
print "sort ", join(',', @{must(scalar $imap->sort('SUBJECT', 'UTF-8', 'ALL'), 'sort')}), "\\n";
my $thread = must($imap->thread('REFERENCES', 'UTF-8', 'ALL'), 'thread');
print "thread ", join(' ', map { '(' . join(',', @$_) . ')' } @$thread), "\\n";
print "search ", join(',', $imap->search('SUBJECT', \\'pears')), "\\n";
print "header ", $imap->get_header($first, 'Subject'), "\\n";
print "size ", $imap->size($first), "\\n";
print "body ", $imap->body_string($first);
print "internaldate ", $imap->internaldate($first), "\\n";
print "structure ", $imap->get_bodystructure($first)->bodytype, "\\n";
print "envelope ", $imap->get_envelope($first)->subject, "\\n";
print "message ", $imap->message_string($first) eq letter(1, 'Pears') ? 'whole' : 'changed', "\\n";
my $flags = $imap->parse_headers([$first], 'Subject', 'Message-ID');
print "headers ", $flags->{$first}{'Message-ID'}[0], "\\n";
must($imap->see($first), 'see');
must($imap->set_flag('$Work', $first), 'set_flag');
print "flags ", join(' ', sort $imap->flags($first)), "\\n";
must($imap->copy('Archive', $first), 'copy');
my $moved = must($imap->move('Archive', 2), 'move');
must($imap->expunge, 'expunge');
must($imap->delete_message(3), 'delete');
must($imap->uidexpunge(3), 'uidexpunge');
print "left ", join(',', $imap->messages), "\\n";
must($imap->close, 'close');
must($imap->rename('Work', 'Done'), 'rename');
print "folders ", join(',', sort $imap->folders), "\\n";
print "status ", $imap->message_count('Archive'), ' ', $imap->unseen_count('Archive') , "\\n";
print "uidnext ", $imap->uidnext('Archive'), "\\n";
must($imap->idle, 'idle') && must($imap->done, 'done');
must($imap->logout, 'logout');
"""


def test_mail_imapclient_stores_sorts_threads_searches_moves_and_deletes(office: Office, owner: Owner) -> None:
    with office.tap() as tap:
        said = run(office, owner, tap.port, MESSAGES)
        assert tap.verbs >= {"UID SORT", "UID THREAD", "UID SEARCH", "UID EXPUNGE", "UID COPY", "IDLE", "RENAME"}
    assert said.splitlines() == [
        "count 3 uid 1",
        "sort 2,1,3",
        "thread (1,3) (2)",
        "search 1,3",
        "header Pears",
        "size 77",
        "body Honk.",
        "internaldate  1-Jan-2020 00:00:00 +0000",
        "structure TEXT",
        "envelope Pears",
        "message whole",
        "headers <1@x.test>",
        "flags $Work \\Flagged \\Seen",
        "left 1",
        "folders Archive,Done,Drafts,INBOX,Junk,Sent,Trash",
        "status 2 1",
        "uidnext 3",
    ]
    assert office.messages(owner, "Done")[0].startswith(b"From: goose@elsewhere.test\r\nSubject: Pears\r\n")


SHARING = """
print "quota ", join(' ', grep { /STORAGE/ } $imap->getquota('')) , "\\n";
print "root ", join(' ', $imap->getquotaroot('INBOX')) , "\\n";
must($imap->setacl('Archive', $other, 'lrs'), 'setacl');
my $acl = must($imap->getacl('Archive'), 'getacl');
print "acl $_ $acl->{$_}\\n" for sort keys %$acl;
print "rights ", join(' ', $imap->listrights('Archive', $other)), "\\n";
print "mine ", $imap->myrights('Archive'), "\\n";
must($imap->deleteacl('Archive', $other), 'deleteacl');
print "left ", join(' ', keys %{$imap->getacl('Archive')}), "\\n";
print "capable ", ($imap->has_capability($_) ? 1 : 0), " $_\\n" for qw(SORT ACL QUOTA UIDPLUS);
"""


def test_mail_imapclient_reads_quotas_and_shares_a_mailbox(office: Office, owner: Owner) -> None:
    other = office.hire().address
    said = run(office, owner, office.port("imaps"), SHARING, other)
    assert 'QUOTA "" (STORAGE 0 ' in said
    assert '* QUOTAROOT "INBOX" ""' in said
    assert f"acl {owner.address} lrswipkxteacd\nacl {other} lrs\nrights l r s w i p k x t e a c d\n" in said
    assert 'mine * MYRIGHTS "Archive" lrswipkxteacd' in said
    assert f"left {owner.address}\ncapable 1 SORT\ncapable 1 ACL\ncapable 1 QUOTA\ncapable 1 UIDPLUS\n" in said
