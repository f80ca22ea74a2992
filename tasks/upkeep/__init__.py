"""A store kept well: checked byte by byte, made smaller, copied.

Never in this room: anything that trains, or makes a report.
"""
