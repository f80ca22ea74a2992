"""`make setup`: which build of torch it takes, from where, and when it starts again.

The real Makefile runs, beside a Python that notes what it is asked, and answers what a package index has.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_config

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
FAKE_PYTHON = """#!/bin/bash
echo "$@" >>"$NOTES"
case "$*" in
  *"-m venv"*)
    [ -z "${BROKEN_PYTHON:-}" ] || exit 1
    [[ "$*" != *--clear* ]] || rm -rf .venv
    mkdir -p .venv/bin
    cp "$0" .venv/bin/python
    echo "#!$PWD/.venv/bin/python3" >.venv/bin/prefect ;;
  *"index versions"*--index-url*) echo "$AT_PYTORCH" ;;
  *"index versions"*) echo "$AT_INDEX" ;;
  *importlib*) echo "$INSTALLED" ;;
  *infra.advisories*) [ -z "${NO_ADVISORIES:-}" ] || { echo "audit: not to be had"; exit 1; } ;;
  *"install"*".[audit]"*) printf '#!/bin/bash\necho pip-audit "$@" >>"$NOTES"\nexit 1\n' >.venv/bin/pip-audit
    chmod +x .venv/bin/pip-audit ;;
esac
"""
CPU, CUDA = "Available versions: 2.14.0, 2.13.0+cpu, 2.13.0", "Available versions: 2.14.0, 2.13.0, 2.12.0"


class Checkout:
    """A folder with the Makefile, and what was asked of Python and pip in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        tools = folder / "tools"
        tools.mkdir()
        (tools / "nvidia-smi").write_text('#!/bin/sh\n[ -n "$HAS_GPU" ]\n')
        (tools / "python3").write_text(FAKE_PYTHON)
        for tool in tools.iterdir():
            tool.chmod(0o755)

    def make(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORCH", "MAKE"))}
        asked = {"AT_INDEX": CUDA, "AT_PYTORCH": CPU, "INSTALLED": "2.13.0+cpu", "HAS_GPU": ""} | variables
        path = f"{self.folder / 'tools'}{os.pathsep}{os.environ['PATH']}"
        environment = kept | asked | {"NOTES": str(self.folder / "notes"), "PATH": path}
        (self.folder / "notes").write_text("")
        return subprocess.run(
            ["make", "--no-print-directory", *(words or ("setup",))],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    def installed(self) -> list[str]:
        """What pip was asked to install, in order."""
        notes = (self.folder / "notes").read_text().splitlines()
        return [line.partition(" install --quiet ")[2] for line in notes if " install " in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


EVERYTHING = "-c constraints.txt -e .[dev]"
FROM_PYTORCH = "--no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0"


def test_without_a_gpu_the_cpu_build_comes_from_pytorch(checkout: Checkout) -> None:
    done = checkout.make()
    assert done.returncode == 0, done.stderr
    assert checkout.installed() == [FROM_PYTORCH, EVERYTHING]
    assert "with torch for cpu" in done.stdout
    assert done.stdout.endswith("torch 2.13.0+cpu\n")


def test_an_index_that_has_the_cpu_build_is_enough(checkout: Checkout) -> None:
    assert checkout.make(AT_INDEX=CPU, AT_PYTORCH="").returncode == 0
    assert checkout.installed() == [EVERYTHING]


def test_where_the_package_index_alone_is_reached_it_says_so_and_goes_on(checkout: Checkout) -> None:
    done = checkout.make(AT_PYTORCH="", INSTALLED="2.13.0")
    assert done.returncode == 0, done.stderr
    assert checkout.installed() == [EVERYTHING]
    assert "2.7 GB come from there; TORCH_INDEX=URL names another index" in done.stderr


def test_a_gpu_or_a_word_takes_cudas_build(checkout: Checkout) -> None:
    assert "with torch for cuda" in checkout.make(HAS_GPU="1", INSTALLED="2.13.0").stdout
    assert checkout.installed() == [EVERYTHING]
    checkout.make("setup", "TORCH=cpu", HAS_GPU="1")
    assert checkout.installed() == [FROM_PYTORCH, EVERYTHING], "another build was asked for: set up again"
    assert "torch 2.13.0+cpu is the build for processors" in checkout.make("setup", "TORCH=cuda").stderr


def test_another_index_may_be_named(checkout: Checkout) -> None:
    checkout.make("setup", "TORCH_INDEX=https://mirror.example.org/cpu")
    assert "--index-url https://mirror.example.org/cpu" in checkout.installed()[0]


def test_a_build_that_there_is_not_is_one_line(checkout: Checkout) -> None:
    done = checkout.make("setup", "TORCH=rocm")
    assert done.returncode == 2
    assert "error: TORCH=rocm: wants cpu or cuda\n" in done.stderr
    assert checkout.installed() == []


def test_it_happens_once(checkout: Checkout) -> None:
    checkout.make()
    done = checkout.make()
    assert (done.returncode, checkout.installed()) == (0, [])
    checkout.make("setup", "TORCH=cpu")
    assert checkout.installed() == [], "it has that build"


@pytest.mark.parametrize("how", ["moved", "copied", "without its Python"])
def test_an_environment_that_cannot_serve_is_made_again(checkout: Checkout, how: str) -> None:
    checkout.make()
    there = checkout.folder.with_name("elsewhere")
    if how == "moved":
        checkout.folder.rename(there)
        checkout.folder = there
    elif how == "copied":
        shutil.copytree(checkout.folder, there)
        checkout.folder = there
    else:
        (checkout.folder / ".venv" / "bin" / "python").unlink()
    assert checkout.make().returncode == 0
    assert checkout.installed() == [FROM_PYTORCH, EVERYTHING]
    assert checkout.make().returncode == 0
    assert checkout.installed() == []


def test_a_set_up_that_failed_is_none(checkout: Checkout) -> None:
    assert checkout.make(BROKEN_PYTHON="yes").returncode != 0
    assert not (checkout.folder / ".venv" / ".installed").exists()


def test_an_audit_asks_for_every_pin_and_fails_where_one_is_vulnerable(checkout: Checkout) -> None:
    checkout.make()
    done = checkout.make("audit")
    assert done.returncode != 0
    assert checkout.installed() == ["-c constraints.txt -e .[audit]"]
    (asked,) = [line for line in (checkout.folder / "notes").read_text().splitlines() if line.startswith("pip-audit ")]
    assert "--requirement constraints.txt" in asked


def test_an_audit_without_data_is_a_line_and_no_failure(checkout: Checkout) -> None:
    checkout.make()
    done = checkout.make("audit", NO_ADVISORIES="yes")
    assert (done.returncode, done.stdout, checkout.installed()) == (0, "audit: not to be had\n", [])


def test_a_commit_is_held_to_what_make_lint_asks() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    recipe = re.findall(r"^\t@?\$\(BIN\)/((?:ruff|mypy).*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(hooks) == sorted(f".venv/bin/{command}" for command in recipe)
    assert all(hook["language"] == "system" for repo in config["repos"] for hook in repo["hooks"])
    load_config(ROOT / ".pre-commit-config.yaml")
