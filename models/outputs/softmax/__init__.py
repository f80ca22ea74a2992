"""One symbol of many: the whole softmax, and that by way of classes of words.

Never in this room: notes.
"""
