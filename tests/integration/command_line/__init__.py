"""The command line against real databases: what good and bad input gets."""
