"""Errors of S3 in one line each: the cause, the whole mend, and nothing that the server said."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    FlexibleChecksumError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from s3fs.errors import translate_boto_error

from infra.store.s3_errors import explain


@pytest.fixture(autouse=True)
def _endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:hush@here:1")


ALL_THREE = "set all of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"


@pytest.mark.parametrize(
    ("code", "region", "told"),
    [
        ("RequestTimeTooSkewed", "", "the clock of this machine is wrong"),
        ("RequestExpired", "", "the clock of this machine is wrong"),
        ("ExpiredToken", "", f"the session has expired; get new credentials, and {ALL_THREE}"),
        ("InvalidToken", "", ALL_THREE),
        ("AuthorizationHeaderMalformed", "", "check AWS_ACCESS_KEY_ID and AWS_DEFAULT_REGION"),
        ("AuthorizationHeaderMalformed", "eu-west-1", "set AWS_DEFAULT_REGION=eu-west-1"),
        ("PermanentRedirect", "eu-west-1", "set AWS_DEFAULT_REGION=eu-west-1"),
        ("PermanentRedirect", "hush\x1b[2J", "the bucket is in another region, and nobody says in which"),
        ("SignatureDoesNotMatch", "eu-west-1", "the credentials are refused (SignatureDoesNotMatch)"),
        ("TooManyRequests", "", "too many requests, again and again"),
        ("AccessDenied", "", "these credentials may not (AccessDenied)"),
        ("NotImplemented", "", "the request failed (NotImplemented)"),
    ],
)
def test_by_the_code_of_the_answer(code: str, region: str, told: str) -> None:
    error = translate_boto_error(ClientError({"Error": {"Code": code, "Message": "hush"}}, "GetObject"))
    line = explain(error, code, "bucket", region)
    assert line.startswith("s3://bucket at here:1: ")
    assert told in line
    assert line.isprintable()
    assert "hush" not in line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError(), "the bucket is in another region, and nobody says in which"),
        (ProfileNotFound(profile="hush"), "the profile that AWS_PROFILE names is in no configuration file"),
        (ConfigParseError(path="hush"), "the configuration files of AWS cannot be read"),
        (UnauthorizedSSOTokenError(), "the profile gives no credentials (UnauthorizedSSOTokenError); sign in again"),
        (NoCredentialsError(), "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (FlexibleChecksumError(error_msg="hush"), "cut or damaged, again and again"),
        (ValueError("hush"), "not a usable setting of S3 (ValueError)"),
    ],
)
def test_by_what_was_raised(error: Exception, told: str) -> None:
    line = explain(error, "", "bucket")
    assert told in line
    assert "hush" not in line


@pytest.mark.parametrize("url", ["localhost:9000", "hush.example", "//hush", "ftp://hush", "http://:1", "http://h:no"])
def test_an_endpoint_that_is_no_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    line = explain(ValueError(), "", "bucket")
    assert line.startswith("s3://bucket at an endpoint that is not a URL: AWS_ENDPOINT_URL is no address; write it as")
    assert "hush" not in line
