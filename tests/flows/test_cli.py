"""The command line as people type it: help, exit codes, one-line errors, and what `--help` must not load."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest
from cyclopts import CycloptsError
from pydantic import ValidationError

from flows.cli import run_app
from flows.cli.console import told_in_one_line, usage_error
from flows.cli.options import Campaign, Data, Places
from infra.errors import ConfigurationError
from infra.settings import CampaignRequest, IngestRequest

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect", "run"]
COUNTERPOINT = [sys.executable, "-c", "from flows.cli import main; main()"]
HEAVY = {
    "torch",
    "pandas",
    "altair",
    "distributed",
    "music21",
    "flows.reproduce",
    "tasks",
    "models",
    "infra.server.server",
}


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Names of the modules that are loaded after the code has run, in a process of its own."""
    script = (
        f"import sys; sys.argv = {list(arguments)!r}\ntry:\n    {code}\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = run(sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


COMMANDS = (
    *("reproduce", "ingest", "report", "plan", "list", "pull", "compare", "sample", "verify", "gc"),
    *("disk", "delete"),
)
TYPED = """
import contextlib, io, json, sys
from prefect.cli import app

def told(*words):
    out = io.StringIO()
    sys.argv = ["prefect", *words]
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        app()
    return out.getvalue()

typed = [told(*words) for words in json.loads(sys.stdin.read())]
print(json.dumps([typed, [*sys.modules]]))
"""


@pytest.mark.integration
def test_prefect_shows_our_command_its_help_and_its_version_and_loads_nothing_heavy(tmp_path: Path) -> None:
    """One process for all of them, called as the program of that name is."""
    program = tmp_path / "prefect"
    program.write_text(TYPED)
    words = [["--help"], ["run", "--help"], ["run", "--version"], ["run", "reproduce", "--help"]]
    done = subprocess.run(
        [sys.executable, program], cwd=ROOT, input=json.dumps(words), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (all_commands, ours, told, reproduce), loaded = json.loads(done.stdout)
    assert "Run Counterpoint" in all_commands
    assert all(f" {command} " in ours for command in COMMANDS)
    assert told.strip() == f"counterpoint {version('counterpoint')}"
    assert "--variants" in reproduce
    assert "flows.cli" in loaded
    assert not HEAVY & set(loaded)


@pytest.mark.integration
def test_the_console_script_shows_its_commands_and_its_version() -> None:
    done = run(*COUNTERPOINT, "--help")
    assert done.returncode == 0
    assert all(f" {command} " in done.stdout for command in COMMANDS)
    done = run(*COUNTERPOINT, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"counterpoint {version('counterpoint')}")


@pytest.mark.integration
def test_the_console_script_shows_its_help_without_prefect() -> None:
    loaded = loaded_by("from flows.cli import main; main()", "counterpoint", "reproduce", "--help")
    assert not (HEAVY | {"prefect"}) & loaded


@pytest.mark.integration
def test_the_plugin_does_nothing_outside_the_command_line() -> None:
    loaded = loaded_by("import prefect", "worker.py")
    assert "infra.prefect_plugin" in loaded
    assert not {"flows.cli", "prefect.cli._app"} & loaded


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["reproduce", "--trials", "many"], "--trials"),
        (["reproduce", "--trials", "0"], "--trials 0"),
        (["reproduce", "--turbo"], "--turbo"),
        (["reproduce", "--cluster", "localhost"], "tcp://host:port"),
        (["pull"], "--to"),
        (["sample"], "TRIAL"),
        (["sample", "1a2b", "--to", "x.mid", "--steps", "many"], "--steps"),
        (["report", "--to", "here"], "--to: goes with --from"),
        (["report", "--from", "docs/results", "--preset", "paper"], "--from: its tables say which campaign it is"),
        (["report", "--from", "docs/results", "--workers", "1"], "--from: its tables say which campaign it is"),
        (["report", "--from", "nowhere"], "nowhere: is no folder"),
        (["compare", "a", "b", "c"], "3 versions: compare takes one or two"),
        (["compare", "nowhere"], "version 'nowhere': neither of the form"),
        (["compose"], "compose"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_app(arguments)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.integration
@pytest.mark.parametrize("base", [PREFECT, COUNTERPOINT], ids=["prefect", "counterpoint"])
def test_a_process_ends_with_that_line_and_that_code(base: list[str]) -> None:
    done = run(*base, "reproduce", "--trials", "many")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.integration
def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = run(*COUNTERPOINT, "pull", "--to", str(tmp_path / "out"), "--store", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.integration
def test_the_console_script_runs_outside_the_checkout(tmp_path: Path) -> None:
    assert run(*COUNTERPOINT, "reproduce", "--help", cwd=tmp_path).returncode == 0


@pytest.mark.integration
@pytest.mark.parametrize(
    "profiles", ['active = "x\n', 'active = "x"\n[profiles.x]\nPREFECT_CLIENT_MAX_RETRIES = "many"\n']
)
def test_settings_that_prefect_cannot_read_are_one_line(tmp_path: Path, profiles: str) -> None:
    (tmp_path / "profiles.toml").write_text(profiles)
    environment = os.environ | {"PREFECT_HOME": str(tmp_path)}
    command = [*COUNTERPOINT, "plan", "--store", str(tmp_path / "store")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("error: Prefect cannot read its settings: ")


def test_options_become_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_STORE", "s3://bucket/prefix")
    request = Campaign(variants=("rnn/bernoulli/SGD",), trials=3).request(Places(cluster="tls://host:8786"))
    assert request == CampaignRequest(
        store="s3://bucket/prefix", variants=("rnn/bernoulli/SGD",), trials=3, cluster="tls://host:8786"
    )
    assert Campaign(store="here").request().store == "here"


def test_every_field_of_a_campaign_request_has_its_option() -> None:
    options = {field.name for kind in (Campaign, Places) for field in fields(kind)}
    assert options == {field.name for field in fields(CampaignRequest)}


def test_every_field_of_an_ingest_request_has_its_option() -> None:
    own = {"midi", "characters", "words"}  # each gives `source` and `form`
    options = {field.name for kind in (Data, Places) for field in fields(kind)}
    assert options - own | {"store", "names", "form"} == {field.name for field in fields(IngestRequest)}


def test_an_empty_variable_of_s3_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AWS_PROFILE": "", "AWS_DEFAULT_REGION": "", "AWS_CA_BUNDLE": "", "AWS_CONFIG_FILE": "", "AWS_REGION": "x"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with told_in_one_line():
        left = {name for name in given if name in os.environ}
    assert left == {"AWS_CONFIG_FILE", "AWS_REGION"}, "no file can be said by an empty name only"


def test_an_unset_store_is_the_folder_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERPOINT_STORE", raising=False)
    assert CampaignRequest().store == "./artifacts"


def test_an_unnamed_cluster_is_that_of_the_variable_or_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_CLUSTER", "tls://scheduler:8786")
    assert CampaignRequest().cluster == IngestRequest().cluster == "tls://scheduler:8786"
    assert Campaign().request(Places(cluster="tcp://host:1")).cluster == "tcp://host:1"
    assert CampaignRequest(cluster=None).cluster is None
    monkeypatch.setenv("COUNTERPOINT_CLUSTER", "scheduler:8786")
    with pytest.raises(ConfigurationError, match="--cluster scheduler:8786: not the address of a Dask scheduler"):
        Campaign().request()
    monkeypatch.setenv("COUNTERPOINT_CLUSTER", "")
    assert CampaignRequest().cluster is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("trials", 0), ("seeds", -1), ("epochs", 0), ("seed", -1), ("preset", ""), ("store", ""), ("corpora", ("",))],
)
def test_a_value_out_of_range_names_its_option(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"--{field}"):
        Campaign(**{field: value}).request()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "tcp://me:hush@host:8786",
        "tls://hush@host:8786",
        "me:hush@host:8786",
        "https:/me:hush@host/a.zip",
        "https://host/a.zip?token=hush",
        "s3://me:hush@bucket",
        "//me:hush@host/a.zip",
    ],
)
@pytest.mark.parametrize("option", ["store", "cluster", "from", "manifest", "midi", "words", "characters"])
def test_a_password_in_an_address_is_refused_and_not_repeated(option: str, address: str) -> None:
    places = Places(cluster=address) if option == "cluster" else Places()
    store = address if option == "store" else None
    name = "source" if option == "from" else option
    data = Data(**({} if option in ("store", "cluster") else {name: address}))
    with pytest.raises(ConfigurationError, match="as passwords and tokens have") as caught:
        data.request(("nottingham",), store, places)
    assert "hush" not in str(caught.value)
    if option in ("store", "cluster"):
        with pytest.raises(ConfigurationError, match="as passwords and tokens have") as caught:
            Campaign(store=store).request(places)
        assert "hush" not in str(caught.value)


def test_a_password_in_the_variable_of_the_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_STORE", "https:/me:hush@host/store")
    with pytest.raises(ConfigurationError, match="as passwords and tokens have") as caught:
        Campaign().request()
    assert "hush" not in str(caught.value)


def test_a_refused_request_of_a_deployment_does_not_repeat_its_input() -> None:
    """Prefect writes the message into the state of the flow run."""
    with pytest.raises(ValidationError) as caught:
        CampaignRequest(cluster="tcp://me:hush@host:1")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("line", ["--trials 'tcp://me:hush@h:1': no number", "unknown: https://h/a?key=hush"])
def test_no_error_line_repeats_a_password(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        usage_error(CycloptsError(msg=line))
    assert "***" in (told := capsys.readouterr().err)
    assert "hush" not in told


@pytest.mark.parametrize("path", ["/home/me@work/a?b.zip", "./me@work", "file:///srv/me@work/a?b.zip"])
def test_a_path_may_hold_any_sign(path: str) -> None:
    assert Data(midi=path).request((), path, Places()).source == path


@pytest.mark.parametrize("address", ["host:8786", "http://host:8786", "tcp://host", "tcp://:x", "tcp://a b:1"])
def test_a_cluster_is_tcp_or_tls_with_a_port(address: str) -> None:
    with pytest.raises(ConfigurationError, match="--cluster"):
        Campaign().request(Places(cluster=address))
