"""Errors of S3 as one line with the mend, and without secrets.

The server's own message is not repeated: it may quote the request, its signature included.
"""

import os
import re
from urllib.parse import urlsplit

from botocore.exceptions import (
    ConfigNotFound,
    ConfigParseError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from fsspec.exceptions import FSTimeoutError

from infra.store.s3_patience import BROKEN_BODY

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
_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_SESSION = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
_CREDENTIALS = f"set {_KEYS} in the environment"
_OTHER_REGION = ("PermanentRedirect", "TemporaryRedirect", "301", "IllegalLocationConstraintException")
_BUSY = "too many requests, again and again; wait, or run fewer workers"
_BY_CODE = {
    "NoSuchBucket": "there is no such bucket; create it, or mend the address",
    "InvalidAccessKeyId": f"the credentials are refused (InvalidAccessKeyId); {_CREDENTIALS}",
    "SignatureDoesNotMatch": f"the credentials are refused (SignatureDoesNotMatch); {_CREDENTIALS}",
    "InvalidToken": "the session token is not of these keys (InvalidToken);"
    f" set all of {_SESSION}, or unset the last for keys that last",
    "AuthorizationHeaderMalformed": "what the request is signed with is not of this server"
    " (AuthorizationHeaderMalformed); check AWS_ACCESS_KEY_ID and AWS_DEFAULT_REGION",
}
_BY_CODE |= dict.fromkeys(
    ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"),
    f"the session has expired; get new credentials, and set all of {_SESSION}",
)
_BY_CODE |= dict.fromkeys(
    ("RequestTimeTooSkewed", "RequestExpired"),
    "the clock of this machine is wrong, by a quarter of an hour or more; set it, best over the network (NTP)",
)
_BY_CODE |= dict.fromkeys(("SlowDown", "TooManyRequests", "TooManyRequestsException", "429"), _BUSY)
_BY_CODE |= dict.fromkeys(
    ("InternalError", "ServiceUnavailable", "500", "502", "503", "504"),
    "the server fails, again and again; see what is wrong with it, and run again: it goes on",
)
_REGION = re.compile(r"[a-z0-9-]{2,40}")


def explain(error: BaseException, code: str, bucket: str, region: str = "") -> str:
    """One line for an error of s3fs, botocore or the network.

    Args:
        error: the error that was raised.
        code: the S3 error code of the answer, `NoSuchBucket`; empty if there was no answer.
        bucket: the name of the bucket.
        region: of the bucket, as the server gives it; empty if it does not.
    """
    return f"s3://{bucket} at {_endpoint()}: {_reason(error, code, region)}"


def _reason(error: BaseException, code: str, region: str) -> str:
    if isinstance(error, _UNREACHABLE):
        why = "no answer in time" if isinstance(error, FSTimeoutError) else type(error).__name__
        return f"out of reach ({why}); check AWS_ENDPOINT_URL and the network"
    if isinstance(error, BROKEN_BODY):
        return f"what it sends is cut or damaged, again and again ({type(error).__name__}); check the network"
    # RecursionError: botocore asks for the region of the bucket, is told to go elsewhere, and asks again.
    signed_for_another = code == "AuthorizationHeaderMalformed" and region
    if code in _OTHER_REGION or isinstance(error, RecursionError) or signed_for_another:
        return _elsewhere(region)
    if code in _BY_CODE:
        return _BY_CODE[code]
    if isinstance(error, PermissionError):
        return f"these credentials may not ({code}); they need to read, write, delete and list"
    return _setting(error) or f"the request failed ({code or type(error).__name__})"


def _elsewhere(region: str) -> str:
    if not _REGION.fullmatch(region):
        return "the bucket is in another region, and nobody says in which; set AWS_DEFAULT_REGION to it"
    return (
        f"the bucket is in the region {region}; set AWS_DEFAULT_REGION={region},"
        " and AWS_ENDPOINT_URL where it names a region"
    )


def _setting(error: BaseException) -> str:
    """The fault in the variables or the files of AWS; empty if the error is another one."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return f"no credentials; {_CREDENTIALS}"
    if isinstance(error, ProfileNotFound):
        return "the profile that AWS_PROFILE names is in no configuration file; mend it, or unset the variable"
    if isinstance(error, ConfigParseError | ConfigNotFound):
        return "the configuration files of AWS cannot be read; mend them, or unset AWS_CONFIG_FILE"
    if isinstance(error, SSOError | TokenRetrievalError | CredentialRetrievalError):
        return f"the profile gives no credentials ({type(error).__name__}); sign in again, or set {_KEYS}"
    if isinstance(error, ValueError) and not _is_url(_endpoint_url()):
        return "AWS_ENDPOINT_URL is no address; write it as http://host:port or https://host"
    if isinstance(error, ValueError):
        return f"not a usable setting of S3 ({type(error).__name__}); check the variables AWS_*"
    return ""


def _endpoint_url() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _endpoint() -> str:
    # The rest of a URL may hold a password. What does not parse as one is not repeated at all.
    url = _endpoint_url()
    if not url:
        return "AWS"
    if not _is_url(url):
        return "an endpoint that is not a URL"
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
