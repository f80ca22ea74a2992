"""Tests of infra/, and the S3 server that other tests may borrow (`tests/infra/s3.py`)."""
