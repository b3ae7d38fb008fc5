"""What the use cases need from the outside, as protocols of three to seven verbs.

One noun a file. Each docstring promises order, atomicity and errors; the contract suite in ``tests/contract``
holds every adapter to it, the in-memory one included. Must never: SQL, a session or a client in a signature.
"""
