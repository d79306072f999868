# How fastmail's JMAP-TestSuite finds accounts of Hongyan: each test gets one that nobody had before, from a file that
# tests/suites/jmap.py writes, a line an account: accountId, name, secret.
package JMAP::TestSuite::ServerAdapter::Hongyan;
use Moose;
with 'JMAP::TestSuite::ServerAdapter';

use Fcntl qw(:flock :seek);

has base_uri      => (is => 'ro', required => 1);
has accounts_file => (is => 'ro', required => 1);

sub can_use_websockets { 1 }

sub any_account { $_[0]->pristine_account }

sub pristine_account {
  my ($self) = @_;

  open my $file, '+<', $self->accounts_file or die "no accounts: $!\n";
  flock $file, LOCK_EX;
  my @lines = <$file>;
  my $mine = shift @lines // die "all accounts are used\n";
  seek $file, 0, SEEK_SET;
  truncate $file, 0;
  print {$file} @lines;
  close $file;

  chomp $mine;
  my ($account_id, $name, $secret) = split /\t/, $mine;
  return JMAP::TestSuite::Account::Hongyan->new({
    server      => $self,
    accountId   => $account_id,
    credentials => { username => $name, password => $secret },
  });
}

package JMAP::TestSuite::Account::Hongyan {
  use Moose;
  with 'JMAP::TestSuite::Account';

  use MIME::Base64 ();

  has credentials => (is => 'ro', required => 1);

  sub authenticated_tester {
    my ($self) = @_;

    my $base = $self->server->base_uri;
    my $login = join q{:}, @{ $self->credentials }{qw(username password)};
    my $authorization = 'Basic ' . MIME::Base64::encode_base64($login, '');
    my %places = (
      api_uri            => "$base/jmap",
      upload_uri         => "$base/jmap/upload/{accountId}",
      download_uri       => "$base/jmap/download/{accountId}/{blobId}/{name}",
      authentication_uri => "$base/jmap/session",
      default_arguments  => { accountId => $self->accountId },
    );

    my $tester;
    if ($self->server->use_websockets) {
      require JMAP::TestSuite::JMAP::Tester::WebSocket::WithSugar;
      $tester = JMAP::TestSuite::JMAP::Tester::WebSocket::WithSugar->new({
        %places,
        ws_api_uri    => ($base =~ s/^http/ws/r) . '/jmap/ws',
        authorization => $authorization,
      });
    } else {
      require JMAP::TestSuite::JMAP::Tester::WithSugar;
      $tester = JMAP::TestSuite::JMAP::Tester::WithSugar->new({%places});
    }
    $tester->ua->set_default_header(Authorization => $authorization);
    return $tester;
  }

  no Moose;
  __PACKAGE__->meta->make_immutable;
}

no Moose;
__PACKAGE__->meta->make_immutable;
