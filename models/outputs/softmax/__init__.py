"""One symbol of a vocabulary: the full softmax, and the one factorised by classes.

Never in this room: notes.
"""
