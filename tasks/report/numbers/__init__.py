"""Every number of a report with its interval: results, resampling, differences, effects, verdicts.

Never in this room: a word of the page, a chart, or a store.
"""
