# client.pl PORT FUNCTION do|events|background: the workload comes from stdin.
use strict;
use warnings;
use Gearman::Client;

my ($port, $function, $mode) = @ARGV;
binmode $_ for \*STDIN, \*STDOUT;
my $workload = do { local $/; <STDIN> } // '';
my $client = Gearman::Client->new(job_servers => ["127.0.0.1:$port"], exceptions => 1);

if ($mode eq 'background') {
    my $handle = $client->dispatch_background($function, \$workload) or exit 1;
    print $handle =~ s{^.*//}{}r, "\n";
} elsif ($mode eq 'events') {
    $client->do_task($function, \$workload, {
        on_data      => sub { print "data ${$_[0]}\n" },
        on_warning   => sub { print "warning ${$_[0]}\n" },
        on_status    => sub { print "status $_[0]/$_[1]\n" },
        on_exception => sub { print "exception $_[0]\n" },
        on_complete  => sub { print "complete ${$_[0]}\n" },
        on_fail      => sub { print "fail\n" },
    });
} else {
    my $result = $client->do_task($function, \$workload) or exit 1;
    print $$result;
}
