"""Read the bytes of an address, under limits: folders, archives, http, S3.

Never in this room: interpreting the bytes.
"""
