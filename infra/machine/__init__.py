"""The machine at hand and its user: home, scratch space, limits, terminal, logs, what is whose.

Never in this room: Prefect, Dask, or a store.
"""
