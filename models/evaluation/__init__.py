"""What a network is worth, and why: log-likelihood, accuracy, count baselines, diagnostics, samples.

Never in this room: an update, or a choice.
"""
