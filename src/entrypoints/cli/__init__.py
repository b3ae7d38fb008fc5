"""The command line: ``kubescribe run``, ``exec``, ``runs``, ``show``, ``logs``, ``reports`` and the rest.

``main`` reads the arguments and imports the one module that the command needs: a supervisor starts at every run,
and pays for nothing that only people at a terminal use.
"""
