"""The steps of the pipeline and their effects: files, networks, Prefect tasks.

The steps call the numerical code in `models/`. The order of the steps is in `flows/`.
"""
