"""Infrastructure: settings, errors, provenance; the store, Prefect, Dask, the machine; deployment files.

Never in this room: a flow, a task, or a model.
"""
