"""A real PostgreSQL in a data folder, shared by the commands that need it and gone when the last one ends.

Lives here: finding the binaries, the data folder, the keeper process that owns the server, and the locks by
which commands share it. May import: the standard library and the domain's errors; importing ``server`` costs
a few milliseconds and starts nothing. Must never: import the binaries' own Python wrapper, or listen beyond
loopback.

How it works. Every command holds a *shared* lock on ``home/attached`` (:mod:`.server`). A detached process,
the keeper (:mod:`.keeper`), owns the server; the kernel ends the server when the keeper dies. The keeper
keeps trying for the *exclusive* lock: to get it means that nobody is attached, so it stops the server and
ends. Locks belong to the kernel, so a killed command, keeper or server leaves nothing that could mislead the
next one.
"""
