"""The process of a throw-away Prefect API server: `python -P api_server.py`, started by `infra/server/server.py` only.

Protocol: the first line on standard output is the port; the server stops when standard input closes. Settings come
from environment variables alone. Imports nothing of ours, for it runs as a script, outside any package.
"""

import gc
import os
import socket
import sys
import threading


def _stop_with_parent() -> None:
    """Wait for the end of standard input, then leave at once: nothing of a throw-away server is worth saving."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Listen on a free port of the loopback, tell which, and serve until standard input closes."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=_stop_with_parent, daemon=True).start()

    # after the port is told, since these imports take seconds that the parent can use; a tenth of them is the search
    # for garbage, of which there is none
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True)
    gc.freeze()
    gc.enable()
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[listening])


if __name__ == "__main__":
    main()
