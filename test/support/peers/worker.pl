# worker.pl PORT: with the functions that all test workers have.
use strict;
use warnings;
use Gearman::Worker;

my $worker = Gearman::Worker->new(job_servers => ["127.0.0.1:$ARGV[0]"]);
$worker->register_function(reverse => sub { scalar reverse $_[0]->arg });
$worker->register_function(chatty => sub {
    my $job = shift;
    $job->set_status(1, 2);
    $worker->send_work_data($job, 'part');
    $worker->send_work_warning($job, 'hot');
    return 'end';
});
$worker->register_function(failing => sub { undef });
# die would send a Storable, which only Perl can read.
$worker->register_function(throwing => sub { $worker->send_work_exception($_[0], 'boom'); undef });
$worker->work while 1;
