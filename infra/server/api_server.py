"""The process of a temporary Prefect API server: `python -P api_server.py`, started by `infra/server/server.py` only.

Protocol: the first line on standard output is the port; the server stops when standard input closes. Settings come
from environment variables alone. Imports nothing of ours, for it runs as a script, outside any package.
"""

import gc
import os
import socket
import sys
import threading


def _stop_with_parent() -> None:
    """Wait for the end of standard input, then exit at once: a temporary server has nothing to save."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Listen on a free port of the loopback, print the port, and serve until standard input closes."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=_stop_with_parent, daemon=True).start()

    # Imported after the port is printed, so that the parent can work during these seconds. Garbage collection, which
    # would find nothing, is a tenth of the import time.
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True)
    gc.freeze()
    gc.enable()
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[listening])


if __name__ == "__main__":
    main()
