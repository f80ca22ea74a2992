"""An S3 server for the tests of ingestion, the same as that of the store's."""

from tests.infra.conftest import s3_address, s3_server

__all__ = ["s3_address", "s3_server"]
