"""The pages: templates, the style sheet, and each part as plain text cells and drawings.

Never in this room: a statistic.
"""
