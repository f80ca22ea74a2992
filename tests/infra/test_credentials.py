"""The secrets of a deployment: who may read them, who gets which, and that the parts of a cluster trust each other."""

import json
import ssl
import stat
from pathlib import Path

import pytest
from distributed.security import Security

from infra.credentials import ROLES, main, make_credentials
from infra.errors import ConfigurationError
from tests.infra.deployed import CREDENTIALS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("deployment") / "secrets"
    make_credentials(made)
    return made


def variables(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_the_folder_is_its_owners_and_a_container_reads_the_file_it_gets(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o444}


def test_the_parts_have_one_password_for_each_thing(folder: Path) -> None:
    server, client = variables(folder / "server.env"), variables(folder / "client.env")
    assert {"server.env": set(server), "client.env": set(client)} == CREDENTIALS
    assert server["PREFECT_SERVER_DATABASE_PASSWORD"] == (folder / "postgres-password").read_text()
    assert server["PREFECT_SERVER_API_AUTH_STRING"] == client["PREFECT_API_AUTH_STRING"]
    (identity,) = json.loads((folder / "s3.json").read_text())["identities"]
    keys = {"accessKey": client["AWS_ACCESS_KEY_ID"], "secretKey": client["AWS_SECRET_ACCESS_KEY"]}
    assert identity["credentials"] == [keys]
    assert len({*server.values(), *client.values()}) == 4
    assert all(len(value) > 40 for value in (*server.values(), *client.values()))


def test_another_deployment_has_others(folder: Path, tmp_path: Path) -> None:
    make_credentials(tmp_path / "other")
    for each in folder.iterdir():
        assert each.read_text() != (tmp_path / "other" / each.name).read_text()


def context(folder: Path, role: str, listens: bool) -> ssl.SSLContext:
    pair = {f"tls_{role}_cert": str(folder / f"{role}.pem"), f"tls_{role}_key": str(folder / f"{role}.key")}
    security = Security(tls_ca_file=str(folder / "ca.pem"), require_encryption=True, **pair)
    found = security.get_listen_args(role) if listens else security.get_connection_args(role)
    made: ssl.SSLContext = found["ssl_context"]
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """A handshake in memory; raises `ssl.SSLError` where one does not trust the other."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [server.wrap_bio(up, down, server_side=True), client.wrap_bio(down, up)]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
                side.read()  # in TLS 1.3 a client's certificate is refused after its handshake
            except ssl.SSLWantReadError:
                pass
    assert sides[0].getpeercert()


@pytest.mark.parametrize(
    ("listens", "asks"), [("scheduler", "client"), ("scheduler", "worker"), ("worker", "scheduler")]
)
def test_the_parts_of_a_cluster_trust_each_other(folder: Path, listens: str, asks: str) -> None:
    shake_hands(context(folder, listens, True), context(folder, asks, False))


def test_the_certificates_of_another_deployment_are_refused(folder: Path, tmp_path: Path) -> None:
    make_credentials(tmp_path / "other")
    with pytest.raises(ssl.SSLError):
        shake_hands(context(folder, "scheduler", True), context(tmp_path / "other", "client", False))


def test_what_is_there_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    before = (folder / "client.env").read_text()
    with pytest.raises(ConfigurationError, match="is there already, and is not replaced"):
        make_credentials(folder)
    assert (folder / "client.env").read_text() == before
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        make_credentials(tmp_path / "none" / "secrets")


def test_as_a_command_it_names_the_files_and_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(tmp_path / "secrets")])
    assert len(capsys.readouterr().out.splitlines()) == 5 + 2 * len(ROLES)
    for wrong in ([], ["--help"], [str(tmp_path / "secrets")]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert (ended.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
