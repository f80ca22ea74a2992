"""Compiled code: its C++ sources, what compiles them at first use, and the one way to call them.

In this room: sources and headers, `build.py`, `library.py`. Never in it: a formula in Python. `build.py` knows nothing
of torch, which a process that only compiles need not load.
"""
