"""NADE: each note depends on the notes before it in the frame.

Never in this room: the network that gives NADE's biases.
"""
