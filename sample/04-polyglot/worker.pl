#!/usr/bin/env perl
# perl worker.pl [PORT]: counts words for whoever asks, with Perl's Gearman::Worker.
use strict;
use warnings;
use Gearman::Worker;

my $worker = Gearman::Worker->new;
$worker->job_servers('127.0.0.1:' . ($ARGV[0] // 4730));
$worker->register_function(
    count_words => sub {
        my @words = split ' ', $_[0]->arg;
        return scalar @words;
    }
);
$worker->work while 1;
