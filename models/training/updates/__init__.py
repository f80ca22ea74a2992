"""What an epoch does to the networks of a stack: by gradients an update a chunk, or one Hessian-free step.

Never in this room: a schedule, a score, a checkpoint, or what comes before and after an epoch.
"""
