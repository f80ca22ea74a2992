"""What went wrong with S3, in one line with the mend, and without anything secret.

The server's own message is not repeated: it may quote the request, its signature included.
"""

import os
from urllib.parse import urlsplit

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from fsspec.exceptions import FSTimeoutError

_UNREACHABLE = (
    TimeoutError,
    ConnectionError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"


def explain(error: BaseException, code: str, bucket: str) -> str:
    """One line for an error of s3fs, botocore or the network.

    Args:
        error: what was raised.
        code: the S3 error code of the answer, `NoSuchBucket`; empty where there was no answer.
        bucket: the name of the bucket.
    """
    where = f"s3://{bucket} at {_endpoint()}"
    if isinstance(error, _UNREACHABLE):
        why = "no answer in time" if isinstance(error, FSTimeoutError) else type(error).__name__
        return f"{where}: out of reach ({why}); check AWS_ENDPOINT_URL and the network"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return f"{where}: no credentials; {_CREDENTIALS}"
    if code == "NoSuchBucket":
        return f"{where}: there is no such bucket; create it, or mend the address"
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"):
        return f"{where}: the credentials are refused ({code}); {_CREDENTIALS}"
    if isinstance(error, PermissionError):
        return f"{where}: these credentials may not ({code}); they need to read, write, delete and list"
    if isinstance(error, ValueError):
        return f"{where}: not a usable setting of S3 ({type(error).__name__}); check the variables AWS_*"
    return f"{where}: the request failed ({code or type(error).__name__})"


def _endpoint() -> str:
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not url:
        return "AWS"
    # The rest of a URL may hold a password. What does not parse as one is not repeated at all.
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "an endpoint that is not a URL"
