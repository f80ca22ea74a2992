"""The numerical part, on tensors: recurrent cores, output models, techniques, training, metrics.

It needs only torch and numpy. It never uses Prefect, Dask, files or the network, and imports nothing from `flows`,
`tasks` or `infra`.

There is one exception: `native/build.py` runs a C++ compiler at first use, and keeps the library in the user's cache
folder. Without a compiler everything works, only slower.
"""
