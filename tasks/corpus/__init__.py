"""The `Corpus`, and the encoding of music and text as arrays.

Never in this room: reading a file or a store.
"""
