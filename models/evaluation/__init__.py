"""Evaluation of a network: log-likelihood, accuracy, count baselines, diagnostics, samples.

Never in this room: updates, or the choice between trials.
"""
