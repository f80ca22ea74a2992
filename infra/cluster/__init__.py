"""Dask: the cluster of a flow run, its workers, their progress.

Never in this room: Prefect's server, or the work of a task.
"""
