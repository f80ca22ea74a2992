"""What infra/compose.yaml and infra/kubernetes/base start, read as data: one `Container` for each."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "infra" / "compose.yaml"
KUBERNETES = ROOT / "infra" / "kubernetes"
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
TERRAFORM = ROOT / "infra" / "terraform"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
CREDENTIALS = {
    "server.env": {"PREFECT_SERVER_DATABASE_PASSWORD", "PREFECT_SERVER_API_AUTH_STRING"},
    "client.env": {"PREFECT_API_AUTH_STRING", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
}
"""The variables in a file of infra/credentials.py; tests/infra/test_credentials.py holds them to this."""


@dataclass(frozen=True)
class Container:
    """A container as its file describes it.

    Attributes:
        where: file and name.
        image: with its tag.
        command: the words that are run; of a shell, each line of its script in `script`.
        environment: variables with their values; those of a secret with the value None.
        probes: the commands that ask whether it is well; HTTP probes as the URL that is asked.
        contained: what is wrong with how it is shut in; empty where nothing is.
        ports: those that it opens to others.
    """

    where: str
    image: str
    command: list[str]
    environment: dict[str, str | None]
    probes: list[str]
    contained: list[str]
    ports: set[int] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Of the service or the workload."""
        return self.where.partition(":")[2]

    @property
    def commands(self) -> list[list[str]]:
        """The commands that are run: one, or those of a shell's script."""
        if self.command[:2] != ["sh", "-euc"]:
            return [self.command]
        return [line.split() for line in self.command[2].splitlines()]


def compose(path: Path = COMPOSE) -> list[Container]:
    """The services of a compose file."""
    document = yaml.safe_load(path.read_text())
    return [_service(f"{path.name}:{name}", each, document) for name, each in document["services"].items()]


def _service(where: str, service: dict[str, Any], document: dict[str, Any]) -> Container:
    variables: dict[str, str | None] = dict(service.get("environment", {}))
    for name in service.get("env_file", []):
        variables |= dict.fromkeys(CREDENTIALS[Path(name).name])
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    wrong = [
        *(["runs as root"] if service.get("user", "0").split(":")[0] in ("", "0", "root") else []),
        *(["has a root file system that is written to"] if service.get("read_only") is not True else []),
        *(["keeps capabilities"] if service.get("cap_drop") != ["ALL"] else []),
        *(["may get new privileges"] if "no-new-privileges:true" not in service.get("security_opt", []) else []),
        *(f"has no limit of {what}" for what in ("cpus", "memory", "pids") if what not in limits),
        *(f"opens {port} to other machines" for port in service.get("ports", []) if not port.startswith("127.0.0.1:")),
        *(f"has a secret {name} of no file" for name in service.get("secrets", []) if name not in document["secrets"]),
    ]
    probe = service.get("healthcheck", {}).get("test", [])
    return Container(
        where=where,
        image=re.sub(r"\$\{\w+:-(.*?)\}", r"\1", service.get("image", "")),
        command=service.get("command", []),
        environment=variables,
        probes=[" ".join(probe[1:])] if probe else [],
        contained=wrong,
    )


def manifests() -> list[dict[str, Any]]:
    """The objects of infra/kubernetes/base as they are written."""
    names = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((KUBERNETES / "base" / name).read_text())]


def kubernetes(objects: list[dict[str, Any]]) -> list[Container]:
    """The containers of the workloads among objects of Kubernetes."""
    settings = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
    secrets = {"client": CREDENTIALS["client.env"], "server": CREDENTIALS["server.env"]}
    return [
        _container(each, container, settings, secrets)
        for each in objects
        if each["kind"] in WORKLOADS
        for container in each["spec"]["template"]["spec"]["containers"]
    ]


def _container(
    workload: dict[str, Any], container: dict[str, Any], settings: dict[str, Any], secrets: dict[str, set[str]]
) -> Container:
    variables: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            variables |= settings[source["configMapRef"]["name"]]
        else:
            variables |= dict.fromkeys(secrets[source["secretRef"]["name"]])
    variables |= {each["name"]: each["value"] for each in container.get("env", [])}
    command = [*container.get("command", []), *container.get("args", [])]
    command = [re.sub(r"\$\((\w+)\)", lambda found: str(variables.get(found[1])), word) for word in command]
    ports = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
    return Container(
        where=f"{workload['kind']}:{workload['metadata']['name']}",
        image=container["image"],
        command=command,
        environment=variables,
        probes=list(_probes(container, ports)),
        contained=_shut_in(workload["spec"]["template"]["spec"], container),
        ports=set(ports.values()),
    )


def _probes(container: dict[str, Any], ports: dict[str, int]) -> Iterator[str]:
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(kind, {})
        if "exec" in probe:
            yield " ".join(probe["exec"]["command"])
        elif "httpGet" in probe:
            yield f"http://127.0.0.1:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"


def _shut_in(pod: dict[str, Any], container: dict[str, Any]) -> list[str]:
    around, own, resources = pod["securityContext"], container["securityContext"], container["resources"]
    return [
        *(["runs as root"] if not around.get("runAsNonRoot") or not around.get("runAsUser") else []),
        *(["has no seccomp profile"] if around.get("seccompProfile") != {"type": "RuntimeDefault"} else []),
        *(["has a root file system that is written to"] if own.get("readOnlyRootFilesystem") is not True else []),
        *(["keeps capabilities"] if own.get("capabilities") != {"drop": ["ALL"]} else []),
        *(["may get new privileges"] if own.get("allowPrivilegeEscalation") is not False else []),
        *(["has a token of Kubernetes"] if pod.get("automountServiceAccountToken") is not False else []),
        *(["shares an account"] if pod.get("serviceAccountName", "default") == "default" else []),
        *(
            f"has no {kind} of {what}"
            for kind in ("requests", "limits")
            for what in ("cpu", "memory")
            if what not in resources.get(kind, {})
        ),
    ]


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """What a validator says, None where it is not on this machine."""
    program = shutil.which(name)
    if program is None:
        return None
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
