"""Open a file over http(s) or in S3, at the position where an earlier download stopped.

`open_remote` gets the part that is held already, and returns a `Body` whose `start` is one of three positions. It is
the end of the held part if the download can continue. It is 0 if the file has changed, or if the server cannot send
parts. It is the end of the file, with no blocks, if the whole file is held and has not changed. `http.py` and `s3.py`
do the work.

What this does not do: write anything (`download.py`).
"""

from contextlib import AbstractContextManager

from tasks.ingest.sources.address import SourceAddress
from tasks.ingest.sources.body import Body, Held


def open_remote(address: SourceAddress, held: Held) -> AbstractContextManager[Body]:
    """The missing part of a file.

    Args:
        address: of the protocol http, https or s3.
        held: the part that is held already.

    Raises:
        CorpusError: the file does not exist, or cannot be reached or read.
    """
    # Imported here, since local files need neither, and s3fs takes a second to import.
    from tasks.ingest.sources.http import open_http
    from tasks.ingest.sources.s3 import open_s3

    opener = open_s3 if address.protocol == "s3" else open_http
    return opener(address, held if held.version else Held())
