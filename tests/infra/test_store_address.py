"""What a person types as the address of a store."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import StoreError
from infra.store import Store
from infra.store.address import parse_address


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("/tmp/a/../b/", "file:///tmp/b"),  # noqa: S108
        ("file:///tmp/b", "file:///tmp/b"),
        ("/srv/my rüns #1/50%", "file:///srv/my%20r%C3%BCns%20%231/50%25"),
        ("file:///srv/my%20runs", "file:///srv/my%20runs"),
        ("file://localhost/srv/my runs", "file:///srv/my%20runs"),
        ("artifacts", (Path.cwd() / "artifacts").as_uri()),
        ("~/runs", (Path.home() / "runs").as_uri()),
        (" s3://bucket ", "s3://bucket"),
        ("S3://bucket//a/b/", "s3://bucket/a/b"),
        ("memory://x", "memory://x"),
    ],
)
def test_normal_form(typed: str, normal: str) -> None:
    assert str(parse_address(typed)) == normal
    assert str(parse_address(normal)) == normal


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("file://", "it is empty"),
        ("memory://", "it is empty"),
        ("s3://", "it is empty"),
        ("s3:///", "it is empty"),
        ("gs://bucket", "protocol 'gs' is not known; use a path, file://PATH"),
        ("simplecache::s3://bucket", "protocol 'simplecache' is not known"),
        ("s3:bucket", "'//' is missing after 's3'"),
        ("s3://Bad_Name/x", "'Bad_Name' cannot be the name of an S3 bucket"),
        ("s3://bucket/../other", "is not made of letters"),
        ("file:///a%0Ab", "holds a character that cannot be printed"),
        ("a\nb", r"'a\\nb' holds a character that cannot be printed"),
    ],
)
def test_one_line_for_an_address_that_cannot_be(typed: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Store(typed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "typed",
    ["s3://AK:hush@bucket/x", "s3://AK:hu/hush@bucket/x", "s3://bucket?secret=hush", "https://me:hush@host/x",
     "s3://hush@bucket", "memory://a:hush"],
)  # fmt: skip
def test_a_secret_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(typed)
    assert "hush" not in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30) | st.text("as3:/.@?~ \n", max_size=12))
def test_any_text_is_an_address_or_one_line(typed: str) -> None:
    try:
        address = parse_address(typed)
    except StoreError as refusal:
        line = str(refusal)
    else:
        line = str(address)
        assert parse_address(line) == address
    assert line.isprintable()


@pytest.mark.parametrize("name", ["my rüns #1", "50%25", "ends in a space ", "a?b", "c&d;e"])
def test_a_folder_of_any_name_is_one_store_by_its_path_and_by_its_url(tmp_path: Path, name: str) -> None:
    store = Store(f"{tmp_path / name}/")
    store.commit("trials/a", {"x": b"1"}, kind="trial", provenance={})
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert store.address == (tmp_path / name).as_uri(), "what a browser opens"
    assert Store(store.address).read("trials/a", "x") == b"1"


def test_a_local_store_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from infra.store import Store; Store(sys.argv[1]).check_writable();"
        "print(sorted({'torch', 'prefect', 's3fs', 'fsspec', 'botocore', 'numpy'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
