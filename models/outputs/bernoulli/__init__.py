"""Independent notes, each on with a probability of its own.

Never in this room: another output model.
"""
