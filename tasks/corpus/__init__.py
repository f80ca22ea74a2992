"""What a corpus is, and how music and text become arrays.

Never in this room: reading a file, or a store.
"""
