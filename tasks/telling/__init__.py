"""Shared helpers for text shown to users: plurals and names, blocks of text, lists of unreadable objects.

Never in this room: a table of a report, or a decision.
"""
