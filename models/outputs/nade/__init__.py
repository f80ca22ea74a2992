"""NADE: notes that depend on those before them in a frame.

Never in this room: the network that gives its biases.
"""
