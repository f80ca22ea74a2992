"""The science, as tensors: recurrent cores, output models, techniques, training, metrics.

Needs torch and numpy only. No Prefect, no Dask, no file, no network is ever touched from here,
and nothing of `flows`, `tasks` or `infra` is imported.
"""
