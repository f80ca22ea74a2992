"""From a request to recipes: known names, own files and the names they get, and options that do not go together."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.errors import ConfigurationError
from infra.settings import IngestRequest
from tasks.ingest import embedded_corpora
from tasks.ingest.building.midi_piece import OWN, Rules
from tasks.ingest.building.recipe import Source
from tasks.ingest.requests import own_rules, requested_recipes


def names(**asked: object) -> list[str]:
    return [recipe.name for recipe in requested_recipes(IngestRequest(**asked))[0]]  # type: ignore[arg-type]


def test_without_a_name_what_comes_with_the_installation_is_meant() -> None:
    assert names() == list(embedded_corpora())


def test_known_corpora_by_name_and_where_one_of_them_is() -> None:
    assert names(names=("nottingham", "bach-chorales")) == ["nottingham", "bach-chorales"]
    (recipe,), source = requested_recipes(IngestRequest(names=("nottingham",), source="n.zip", manifest="m.csv"))
    assert recipe.name == "nottingham"
    assert source == Source("n.zip", "m.csv")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/srv/My Songs.zip", "my-songs"),
        ("songs/", "songs"),
        ("https://example.org/a/Folk.tar.gz", "folk"),
        ("s3://bucket/texts/novel.txt", "novel"),
        ("./one.MID", "one"),
    ],
)
def test_own_files_get_a_name_from_their_address_or_the_one_that_is_given(address: str, name: str) -> None:
    assert names(form="midi", source=address) == [name]
    assert names(form="midi", source=address, names=("mine",)) == ["mine"]


def test_own_files_are_read_as_what_they_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("one two two\n" * 9)
    (tmp_path / "valid.txt").write_text("two\n")
    (tmp_path / "test.txt").write_text("one\n")
    seen: list[tuple[int, int]] = []
    for form, vocabulary in (("words", ("<unk>", "two", "<eos>", "one")), ("characters", None)):
        (recipe,), source = requested_recipes(IngestRequest(form=form, source=str(tmp_path), names=("mine",)))  # type: ignore[arg-type]
        corpus = recipe.build(recipe.read_inputs(source), lambda *done: seen.append(done), map)
        assert (corpus.name, corpus.kind, recipe.kind) == ("mine", form, form)
        assert vocabulary is None or corpus.vocabulary == vocabulary
    assert seen == [(3, 3)] * 2


def test_what_the_corpus_is_a_function_of_is_in_the_settings() -> None:
    def settings(**asked: object) -> dict[str, object]:
        (recipe,), _ = requested_recipes(IngestRequest(source="a", names=("mine",), **asked))  # type: ignore[arg-type]
        return dict(recipe.settings)

    assert settings(form="midi") == {"step": None, "drums": "left out"}
    assert settings(form="midi", step=60) == settings(form="midi", step="60") == {"step": "60", "drums": "left out"}
    assert settings(form="midi", most_lost=0.2) == {"step": None, "drums": "left out"}, "it only decides whether"
    assert settings(form="midi", by_content=True)["by_content"] is settings(form="words", by_content=True)["by_content"]
    assert settings(form="midi", step="1/4", drums=True) == {"step": "1/4", "drums": "kept"}
    assert settings(form="words") == {"fewest": 3, "encoding": None}
    assert settings(form="words", fewest=1) == {"fewest": 1, "encoding": None}
    assert settings(form="characters", encoding="Latin-1") == {"encoding": "iso8859-1"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"names": ("nowhere",)}, "corpus 'nowhere': there is none"),
        ({"source": "a.zip"}, "name the one corpus"),
        ({"names": ("nottingham", "musedata"), "source": "a.zip"}, "name the one corpus"),
        ({"manifest": "m.csv"}, "name the one corpus"),
        ({"names": ("nottingham",), "step": 3}, "--step: it is for your own files"),
        ({"fewest": 3}, "--fewest: it is for your own files"),
        ({"form": "midi"}, "give their address"),
        ({"form": "midi", "source": "a", "names": ("b", "c")}, "one name, and 2 are given"),
        ({"form": "midi", "source": "a", "names": ("nottingham",)}, "not a name for your own files"),
        ({"form": "midi", "source": "a", "names": ("../x",)}, "not a name for your own files"),
        ({"form": "midi", "source": "a", "names": ("Mine",)}, "not a name for your own files"),
        ({"form": "midi", "source": "a", "names": ("manifest",)}, "not a name for your own files"),
        ({"form": "words", "source": "nottingham.zip"}, "corpus 'nottingham': not a name for your own files"),
        ({"form": "midi", "source": "a", "manifest": "m.csv"}, "--manifest"),
        ({"names": ("nottingham",), "most_lost": 0.2}, "--most-lost: it is for your own files"),
        ({"names": ("nottingham",), "by_content": True}, "--by-content: it is for your own files"),
        ({"form": "midi", "source": "a", "fewest": 2}, "--fewest"),
        ({"form": "midi", "source": "a", "encoding": "utf-8"}, "--encoding: it is for text"),
        ({"names": ("nottingham",), "encoding": "utf-8"}, "--encoding: it is for your own files"),
        ({"form": "words", "source": "a", "encoding": "base64"}, "--encoding base64: there is none of that name"),
        ({"form": "words", "source": "a", "encoding": "idna"}, "--encoding idna: there is none of that name"),
        ({"form": "words", "source": "a", "encoding": "mine"}, "take one of Python's, as utf-8"),
        ({"form": "words", "source": "a", "step": 2}, "--step"),
        ({"form": "words", "source": "a", "drums": True}, "--drums"),
        ({"names": ("nottingham",), "drums": True}, "--drums: it is for your own files"),
        ({"form": "characters", "source": "a", "fewest": 2}, "--fewest"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(asked: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        requested_recipes(IngestRequest(**asked))  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_step_is_parts_of_a_quarter_note_or_ticks() -> None:
    def rules(**asked: object) -> Rules:
        return own_rules(IngestRequest(form="midi", source="a", **asked))  # type: ignore[arg-type]

    assert rules() == OWN
    assert rules(step="1/16").step(480) == 30
    assert rules(step="3/2").step(96) == 144
    assert rules(step=60).step(480) == rules(step="60").step(96) == 60
    assert rules(drums=True) == replace(OWN, drums="kept")
    for wrong in ("0", "1/0", "-1", "1.5", "1/16 note", "", 0):
        with pytest.raises(ValidationError, match="parts of a quarter note, as 1/4 for a sixteenth note, nor a number"):
            IngestRequest(form="midi", source="a", step=wrong)  # type: ignore[arg-type]
