"""One file format each: bytes in, values out.

Never in this room: a path, an address, or a corpus.
"""
