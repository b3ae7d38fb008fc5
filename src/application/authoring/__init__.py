"""What the author of a pipeline works with: declaring it, its parameters, its context, the words of failure.

Re-exported by ``kubescribe`` itself. Must stay light: a worker that reads nothing imports no polars and no driver.
"""
