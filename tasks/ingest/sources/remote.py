"""A file over http(s) or in S3, read from the place where an earlier reading stopped.

`open_remote` is told what is held already, and answers with a `Body` that says where it begins: at the end of what is
held; at 0 where the file has changed or the server cannot give parts; or behind the last byte, with nothing in it,
where all of it is held and the file is still the same. `http.py` and `s3.py` do it.

What this does not do: write anything (`download.py`).
"""

from contextlib import AbstractContextManager

from tasks.ingest.sources.address import SourceAddress
from tasks.ingest.sources.body import Body, Held


def open_remote(address: SourceAddress, held: Held) -> AbstractContextManager[Body]:
    """What is missing of a file.

    Args:
        address: of the protocol http, https or s3.
        held: what there is of it.

    Raises:
        CorpusError: there is no such file, or it cannot be reached or read.
    """
    # Here, for reading a local file needs neither, and s3fs takes a second to import.
    from tasks.ingest.sources.http import open_http
    from tasks.ingest.sources.s3 import open_s3

    opener = open_s3 if address.protocol == "s3" else open_http
    return opener(address, held if held.version else Held())
