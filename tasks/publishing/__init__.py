"""From stored results to a published report, and its summary for the user.

Never in this room: statistics, or the text of a page.
"""
