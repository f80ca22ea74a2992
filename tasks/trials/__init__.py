"""One trial on a worker: from its configuration to what is stored of it.

Never in this room: which trials there are, or a report.
"""
