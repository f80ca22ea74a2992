"""Maintenance of a store: checking every byte, freeing space, copying.

Never in this room: training, or making a report.
"""
