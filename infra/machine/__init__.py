"""The machine and its user: home, scratch space, limits, terminal, logs, ownership of files.

Never in this room: Prefect, Dask, or a store.
"""
