"""The updates of an epoch, for the networks of a stack: one gradient update for each chunk, or one Hessian-free step.

Never in this room: schedules, scores, checkpoints, or anything before and after an epoch.
"""
