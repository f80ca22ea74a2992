"""Bernoulli notes: independent given the state, each with its own probability.

Never in this room: another output model.
"""
