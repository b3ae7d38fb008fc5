#!/usr/bin/env perl
# Reconciles the day's payments with the invoices. Plain Perl; `--fail N` makes it end with N half-way.
#   kubescribe exec -- examples/scripts/nightly.pl
use strict;
use warnings;
use Getopt::Long;
use JSON::PP;

$| = 1;    # whoever reads along sees each line when it is written
my $fail = 0;
GetOptions('fail=i' => \$fail) or die "usage: $0 [--fail N]\n";

sub tell_event {    # one line of JSON for whoever listens; nobody has to
    my %event = @_;
    my $path = $ENV{KUBESCRIBE_EVENTS} or return;
    open my $events, '>>', $path or die "cannot write to $path: $!\n";
    print {$events} JSON::PP->new->canonical->encode(\%event), "\n";
    close $events or die "cannot write to $path: $!\n";
}

my %invoices = map { $_ => 100 + $_ * 7 % 13 } 1 .. 400;
my %payments = map { $_ => $invoices{$_} - ($_ % 97 ? 0 : 1) } keys %invoices;

my ($seen, $open) = (0, 0);
for my $number (sort { $a <=> $b } keys %invoices) {
    my $missing = $invoices{$number} - $payments{$number};
    if ($missing) {
        $open++;
        print "invoice $number: $missing short\n";
    }
    if (++$seen % 100 == 0) {
        print "$seen invoices seen\n";
        tell_event(type => 'progress', fraction => $seen / keys %invoices, text => "$seen invoices");
    }
    exit $fail if $fail && $seen == 200;
}

tell_event(type => 'metric', name => 'open_invoices', value => $open);
tell_event(type => 'note', text => "$open of $seen invoices are open");
print "done: $open open\n";
