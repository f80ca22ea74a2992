"""One trial on several processes of a machine: they are started, watched and ended beside the worker that trains it.

Never in this room: how a gradient is split (`models/training/updates/split_gradient.py`), or what is stored of a trial.
"""
