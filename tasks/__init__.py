"""The steps of the pipeline and their effects: files, networks, Prefect tasks.

The science is in `models/`, which these steps call; the order of the steps is in `flows/`.
"""
