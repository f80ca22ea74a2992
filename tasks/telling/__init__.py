"""What all need that tell people something: words around numbers, blocks of text, what cannot be read.

Never in this room: a table of a report, or a decision.
"""
