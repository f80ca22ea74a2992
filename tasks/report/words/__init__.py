"""The answer in words, its caveats, its tables as text, the command that repeats it.

Never in this room: HTML, or a statistic.
"""
