"""New York's flights of 2013: a data set, a pipeline that makes two reports of it, and the demo that shows both.

``dataset`` loads the tables, ``queries`` reads them, ``transform`` is the arithmetic, ``pipeline`` is what KubeScribe
runs, ``demo`` is ``make demo``.
"""
