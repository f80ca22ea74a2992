"""Training one trial, or a stack of them: the loop, its schedule, its checkpoints, and what comes of it.

Never in this room: a formula of a core, an output model or a technique, or a score on the test split.
"""
