"""Archives that tests make: the same files in every format that is read."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

FILES = {"train/a.mid": b"MThd" + bytes(40), "train/b.mid": b"", "test/a.mid": b"other"}
Packer = Callable[[Mapping[str, bytes]], bytes]


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return out.getvalue()


def gzipped(files: Mapping[str, bytes]) -> bytes:
    return tarred(files, "w:gz")


PACKERS = {
    "zip": zipped,
    "stored zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "pax": tarred,
    "gnu": lambda files: tarred(files, form=tarfile.GNU_FORMAT),
    "ustar": lambda files: tarred(files, form=tarfile.USTAR_FORMAT),
    "tgz": gzipped,
}
