"""Readers, one for each file format: bytes in, values out.

Never in this room: a path, an address, or a corpus.
"""
