"""Pipelines and scripts to read, run and copy; nothing in the product imports them."""
