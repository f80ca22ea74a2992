"""Generate a deployment's secrets, once: passwords, keys of the S3 server, certificates of the Dask cluster.

    python -m infra.credentials infra/secrets

infra/compose.yaml and the Kubernetes secrets of docs/operations.md use these files. Only the owner can enter the
folder. The files in it are readable by all, since each is mounted into a container that runs as another user.

What this does not do: replace existing secrets, or revoke any. To change all of them, remove the folder and run this
again; to change one password, edit its file.
"""

import json
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.errors import ConfigurationError

ROLES = ("client", "scheduler", "worker")
"""Each role has a certificate of its own, signed by the authority made here; Dask asks every peer for one."""
WRONG_USAGE = 2
YEARS = 5
_MINUTES_OF_ERROR = 5  # a machine's clock may be behind


class _Signed(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_credentials(folder: Path) -> list[str]:
    """Write the files of a deployment's secrets into a new folder.

    Args:
        folder: made by this call, for its owner alone.

    Returns:
        The names of the files: `postgres-password`, `server.env`, `client.env`, `s3.json`, `ca.pem`, and for each of
        `client`, `scheduler` and `worker` a `.pem` and a `.key`.

    Raises:
        ConfigurationError: the folder is there already, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise ConfigurationError(
            f"{folder}: is there already, and is not replaced; remove it, or name another"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}") from error
    texts = {**_passwords(), **_certificates()}
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o444)
    return sorted(texts)


def _passwords() -> dict[str, str]:
    database, server, identity, key = (secrets.token_urlsafe(32) for _ in range(4))
    account = f"counterpoint:{server}"
    may = ["Read", "Write", "List"]
    identities = [{"name": "counterpoint", "actions": may, "credentials": [{"accessKey": identity, "secretKey": key}]}]
    return {
        "postgres-password": database,
        "server.env": f"PREFECT_SERVER_DATABASE_PASSWORD={database}\nPREFECT_SERVER_API_AUTH_STRING={account}\n",
        "client.env": f"PREFECT_API_AUTH_STRING={account}\nAWS_ACCESS_KEY_ID={identity}\nAWS_SECRET_ACCESS_KEY={key}\n",
        "s3.json": json.dumps({"identities": identities}, indent=2) + "\n",
    }


def _certificates() -> dict[str, str]:
    authority = _sign("counterpoint-authority", None)
    files = {"ca.pem": _pem(authority.certificate)}
    for role in ROLES:
        signed = _sign(f"counterpoint-{role}", authority)
        written = signed.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files |= {f"{role}.pem": _pem(signed.certificate), f"{role}.key": written.decode()}
    return files


def _sign(name: str, authority: _Signed | None) -> _Signed:
    """A new key and its certificate, signed by the authority; without an authority, self-signed as one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    issuer, signer = (subject, key) if authority is None else (authority.certificate.subject, authority.key)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=_MINUTES_OF_ERROR))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=0 if authority is None else None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
        .add_extension(_usage(authority is None), True)
    )
    return _Signed(built.sign(signer, hashes.SHA256()), key)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def main(arguments: list[str]) -> None:
    """Make the folder named on the command line, and print its files."""
    try:
        if len(arguments) != 1 or arguments[0].startswith("-"):
            raise ConfigurationError("wants one folder: python -m infra.credentials infra/secrets")
        names = make_credentials(Path(arguments[0]))
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(WRONG_USAGE)
    for name in names:
        print(f"{arguments[0]}/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
