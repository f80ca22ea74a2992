"""Training one trial, or a stack of them: the loop, what an update does, and what is kept of it.

Never in this room: a formula of a core, an output model or a technique, or a score on the test split.
"""
