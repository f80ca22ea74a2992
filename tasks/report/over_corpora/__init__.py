"""One number over several corpora.

Never in this room: a number of one corpus alone.
"""
