"""Help for students who read a report: a glossary, and the numbers of the figures that explain the techniques.

Never in this room: a campaign's result.
"""
