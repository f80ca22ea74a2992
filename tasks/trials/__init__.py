"""One trial on a worker: from its configuration to its stored results.

Never in this room: which trials there are, or a report.
"""
