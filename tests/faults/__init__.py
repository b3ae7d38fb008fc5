"""Faults at every step of a run, one at a time; afterwards every invariant of ``tests.support.invariants`` holds.

Each run publishes ``r1`` and ``r2`` anew, and one to three reports that it appends to, merges or replaces partitions
of; now and then it adds a column or makes a report anew. What exactly is drawn by the test's name: so the modes take
turns over the steps, and the cases need not be multiplied.

What is covered in ``make test`` (``make chaos`` draws from everything, and pairs):

=========================  =================================================================================
fault                      at which steps, and why not at the others
=========================  =================================================================================
worker killed, retried     all where there is a worker (15); afterwards there is none to kill
worker killed at last      one of each kind: the verdict does not depend on where the payload died
supervisor killed          all 26
both killed                five: a worker dies with its supervisor anyway, and differs only in who sees it first
supervisor killed, retry   all from the fence on, where something of the first attempt is in the second's way
stop, retry, continue      all from the fence on
stop, give up, continue    all at which a fence can be raised under an attempt (from the claim to the COMMIT)
stop, lose, continue       as before: this is the zombie of a node that was thought dead
stop, give up, retry       one of each kind: it is the two before, one after the other
RunLog crashed             all 26
production crashed         where it is read; before and afterwards nobody has a connection to it
report crashed             all from the declaration on
RunLog, report away        four each: the patience with an absent database makes these slow
COMMIT cut                 before each transaction of the product, its answer lost or itself
reconciler                 each of its steps x killed, a second one meanwhile, the zombie waking meanwhile
commands (``exec``)        each of its steps x kill, kill and retry, stop and retry, give up, lose, RunLog crashed
copies (``run.copy``)      worker killed at each step; everything else while rows are on their way
requests to the API        killed at any moment, at each step of a launch, some of a cancel; RunLog crashed, cut
files (``publish``)        worker killed at each step; everything else once at least
=========================  =================================================================================
"""
