"""Choose the backend of an address."""

from infra.store.address import Address
from infra.store.backend import Backend


def open_backend(address: Address) -> Backend:
    """The backend of an address. A local store loads neither fsspec nor s3fs."""
    if address.protocol == "s3":
        from infra.store.s3 import S3Backend

        return S3Backend(address.path)
    if address.protocol == "memory":
        from infra.store.memory import MemoryBackend

        return MemoryBackend(address.path)
    from infra.store.local import LocalBackend

    return LocalBackend(address.path)
