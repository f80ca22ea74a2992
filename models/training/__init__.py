"""Training of one trial, or of a stack of trials: the loop, its schedule, its checkpoints and its outcome.

Never in this room: formulas of cores, output models or techniques, or scores on the test split.
"""
