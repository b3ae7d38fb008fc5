"""Where a process starts: the command line, the runner's supervisor and its worker.

``composition`` is the one composition root: it builds the graph from the settings, and nothing else names an
adapter. May import: everything further in. Must never: hold a rule of the domain.
"""
