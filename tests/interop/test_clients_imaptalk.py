"""Mail::IMAPTalk of Perl: what scripts for Cyrus and the services that grew from it are written with."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner, letters

pytestmark = pytest.mark.interop

PACKAGES = ("libmail-imaptalk-perl", "libio-socket-ssl-perl")
BEGIN = r"""
use strict; use warnings; use Mail::IMAPTalk;
my ($port, $user, $secret, $ca, $other) = @ARGV;
my $imap = Mail::IMAPTalk->new(Server => 'localhost', Port => $port, UseSSL => 1, SSL_ca_file => $ca,
    Username => $user, Password => $secret, Uid => 1, UseBlocking => 1) or die $@;
sub must($$) { my ($got, $what) = @_; defined $got or die "$what: $@ " . $imap->get_last_error; return $got; }
"""

NOTES = r"""
must($imap->setmetadata('Archive', '/private/comment', 'mine', '/shared/comment', 'of all'), 'setmetadata');
my $notes = must($imap->getmetadata('Archive', { depth => 'infinity' }, '/private', '/shared'), 'getmetadata');
print "note $_ $notes->{Archive}{$_}\n" for sort keys %{$notes->{Archive}};
my $many = $imap->multigetmetadata(['/private/comment'], 'Archive', 'Sent');
print "many $_ ", $many->{$_}{'/private/comment'} // 'none', "\n" for sort keys %$many;
must($imap->setmetadata('Archive', '/private/comment', undef), 'removal');
print "left ", join(' ', keys %{must($imap->getmetadata('Archive', { depth => 'infinity' }, '/private', '/shared'),
    'getmetadata')->{Archive} // {}}), "\n";
must($imap->setacl('Archive', $other, 'lrs'), 'setacl');
my @acl = @{must($imap->getacl('Archive'), 'getacl')};
print "acl @acl\n";
print "mine ", join(' ', @{must($imap->myrights('Archive'), 'myrights')}), "\n";
must($imap->deleteacl('Archive', $other), 'deleteacl');
print "quota ", join(' ', sort map { ref $_ ? @$_ : () } values %{must($imap->getquotaroot('INBOX'), 'getquotaroot')}),
    "\n";
"""

MAIL = r"""
must($imap->select('INBOX'), 'select');
print "sort @{must($imap->sort('(REVERSE SUBJECT)', 'UTF-8', 'ALL'), 'sort')}\n";
my $threads = must($imap->thread('REFERENCES', 'UTF-8', 'ALL'), 'thread');
print "threads ", join(' ', map { ref $_ ? "(@$_)" : $_ } @$threads), "\n";
print "search @{must($imap->search('SUBJECT', 'two'), 'search')}\n";
my $found = must($imap->fetch('1:*', '(flags envelope bodystructure)'), 'fetch');
print "message $_ $found->{$_}{envelope}{Subject} $found->{$_}{bodystructure}{'MIME-Type'}\n" for sort keys %$found;
must($imap->store('2', '+flags', '(\\flagged)'), 'store');
must($imap->copy('1', 'Archive'), 'copy');
must($imap->move('2', 'Archive'), 'move');
must($imap->store('3', '+flags', '(\\deleted)'), 'store');
must($imap->uidexpunge('3'), 'uidexpunge');
must($imap->unselect, 'unselect');
my $counts = must($imap->multistatus('(messages unseen)', 'INBOX', 'Archive'), 'multistatus');
print "status $_ $counts->{$_}{messages} $counts->{$_}{unseen}\n" for sort keys %$counts;
$imap->logout;
"""


def run(office: Office, owner: Owner, port: int, script: str, *more: str) -> list[str]:
    file = office.write("script.pl", BEGIN + script)
    return office.run(
        PACKAGES, "perl", file, str(port), owner.address, owner.secret, office.authority, *more
    ).splitlines()


def test_mail_imaptalk_notes_shares_and_reads_quotas(office: Office, owner: Owner) -> None:
    other = office.hire().address
    with office.tap() as tap:
        told = run(office, owner, tap.port, NOTES, other)
        said = [command.lower() for command in tap.commands]
    assert told[:7] == [
        "note /private/comment mine",
        "note /shared/comment of all",
        "many Archive mine",
        "many Sent none",
        "left /shared/comment",
        f"acl {owner.address} lrswipkxteacd {other} lrs",
        "mine Archive lrswipkxteacd",
    ]
    assert "STORAGE" in told[7]
    assert 'getmetadata archive (depth infinity) ("/private" "/shared")' in said
    assert 'setmetadata archive ("/private/comment" nil)' in said


def test_mail_imaptalk_sorts_threads_searches_copies_moves_and_deletes(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three"))
    with office.tap() as tap:
        told = run(office, owner, tap.port, MAIL)
        assert tap.verbs >= {"UID SORT", "UID THREAD", "UID SEARCH", "UID COPY", "UID MOVE", "UID EXPUNGE", "UNSELECT"}
    assert told == [
        "sort 2 3 1",
        "threads (1) (2) (3)",
        "search 2",
        "message 1 one text",
        "message 2 two text",
        "message 3 three text",
        "status Archive 2 2",
        "status INBOX 1 1",
    ]
    assert len(office.messages(owner, "Archive")) == 2
    assert len(office.messages(owner)) == 1
