"""Compiled code: C++ sources and headers, the build at first use (`build.py`), and the calls (`library.py`).

Never in this room: a formula in Python. `build.py` does not import torch, so that a process that only compiles starts
fast.
"""
