"""The search of a campaign: trials, chosen configurations, estimated time, and dispatch to workers.

Never in this room: training, or a statistic.
"""
