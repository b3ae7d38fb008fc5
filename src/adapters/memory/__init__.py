"""RunLog, time and ids without any machine: shipped doubles that pass the contract tests of the real ones.

May import: the application and the domain. Must never: do I/O.
"""
