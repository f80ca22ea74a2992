"""Pieces as tensors: cut into chunks, stacked for several trials, transposed.

Never in this room: parameters, or files.
"""
