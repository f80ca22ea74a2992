"""Prefect: the temporary server of a command, or the configured one; names, pages and schedules of flow runs.

Never in this room: Dask, or knowledge of campaigns.
"""
