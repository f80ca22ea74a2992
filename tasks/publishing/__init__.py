"""From the store to a published report, and what a person is told of it.

Never in this room: a statistic, or a page's words.
"""
