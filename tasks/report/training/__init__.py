"""How easily networks are trained: time to a score, draws that learn, the budget of tuning, what mattered.

Never in this room: scores on the test split.
"""
