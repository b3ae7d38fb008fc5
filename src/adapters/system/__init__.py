"""The machine's own clock and ids.

May import: the application's ports, the domain, the standard library. Must never: be slow to import; the
supervisor needs it.
"""
