"""What each command may be told.

Lives here: argparse's declarations of all commands, by what they are for. Must never: import a command's module, which
costs what the command needs.
"""
