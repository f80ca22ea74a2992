"""Where things run: settings, store, clusters, command line, errors.

Nothing here imports a flow, a task or a model, except the command line, which does so lazily.
"""
