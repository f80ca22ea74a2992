"""Prefect: the throw-away server of a command, or the configured one; names, pages and schedules of flow runs.

Never in this room: Dask, or what a campaign is.
"""
