"""The JSON API, mounted at /api/ in the public process: for programs of platforms and of others.

An endpoint is a plain view behind one of the two doors of `door`: `open_to_all` or `with_key`. What it
takes and gives is told once more in a table `TOLD` beside it, from which `openapi` makes the document;
an address without its row, or a row without its address, is a failing test.
"""
