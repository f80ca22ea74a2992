"""Drawings: Altair charts, and piano-rolls.

Never in this room: a number that is computed here first.
"""
