"""The science, as tensors: recurrent cores, output models, techniques, training, metrics.

Needs torch and numpy only. No Prefect, no Dask, no file, no network is ever touched from here,
and nothing of `flows`, `tasks` or `infra` is imported.

One exception: `native/build.py` runs a C++ compiler at first use and keeps what it made in the user's cache
folder. Without a compiler everything works, slower.
"""
