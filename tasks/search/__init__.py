"""Which trials a campaign needs, which are chosen, how long it takes, and getting them done.

Never in this room: training, or a statistic.
"""
