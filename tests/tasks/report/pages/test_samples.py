"""The samples in the report: the best and plain SGD shown, every file there, texts inert; no section without any."""

import dataclasses
import io
import json
import re
from dataclasses import replace
from functools import partial

import pretty_midi
import pytest

from infra.store import valid_path
from tasks.report import build_report, estimate
from tasks.report.numbers.results import Sampled
from tasks.report.numbers.variant_titles import plain_of, short_labels
from tasks.report.pages.samples import ITSELF, file_name, sample_files, sample_sections
from tasks.report.pages.tunes import Tune
from tests.tasks.report.inert import EVIL, check_inert
from tests.tasks.report.pages_made import small_results, undrawn, undrawn_page

TEXT = "folk-tunes-words"


@pytest.fixture(scope="module")
def small():
    """The text corpora alone: few charts to make."""
    return small_results()


def _with(results, corpus, **changes):
    """Every sample of one corpus changed, its file too."""
    samples = {}
    for variant, sampled in results.samples[corpus].items():
        made = dataclasses.replace(sampled.continuation, **changes)
        samples[variant] = Sampled(made, made.to_bytes())
    return dataclasses.replace(results, samples={**results.samples, corpus: samples})


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_the_best_variant_and_plain_sgd_are_shown_and_the_others_linked(results, estimates):
    sections = sample_sections(results, estimates)
    assert [section.name for section in sections] == list(results.corpora)
    for section in sections:
        rows = estimates.primary(section.name)
        best = rows.loc[~rows["variant"].str.startswith("baseline/"), "variant"].iloc[0]
        labels_of = short_labels(results.samples[section.name])
        assert [(shown.label, shown.why) for shown in section.shown] == [
            (labels_of[best], "the best variant on test"),
            (labels_of[plain_of(best)], "plain SGD"),
            (ITSELF, ""),
        ]
        labels = [shown.label for shown in section.shown[:2]] + [other.label for other in section.others]
        assert sorted(labels) == sorted(labels_of.values())
        assert all((shown.given.split(), shown.made.split()) for shown in section.shown)
        assert {shown.given.split()[0] for shown in section.shown} == {"8"}
        assert {shown.ended for shown in section.shown} == {""}


def test_every_file_is_in_the_report_as_it_is_stored(files, results):
    stored = {
        file_name(results, corpus, variant): sampled.data
        for corpus, variants in results.samples.items()
        for variant, sampled in variants.items()
    }
    assert {name: data for name, data in files.items() if name.startswith("samples/")} == stored
    assert all(map(valid_path, stored))
    assert stored["samples/1-bach-chorales/rnn-bernoulli-SGD-CL.mid"].startswith(b"MThd")
    made = results.samples["bach-chorales"]["rnn/bernoulli/SGD"].continuation
    (piano,) = pretty_midi.PrettyMIDI(io.BytesIO(stored["samples/1-bach-chorales/rnn-bernoulli-SGD.mid"])).instruments
    sounding = {(note.pitch, k) for note in piano.notes for k in range(round(note.start / 0.6), round(note.end / 0.6))}
    assert sounding == {(note, k) for k, notes in enumerate(made.steps) for note in notes}


def test_programs_are_told_of_every_sample(files, results):
    rows = json.loads(files["results.json"])["samples"]
    assert {row["file"] for row in rows} == {name for name in files if name.startswith("samples/")}
    for row in rows:
        made = results.samples[row["corpus"]][row["variant"]].continuation
        assert (row["key"], row["seed"], row["piece"]) == (made.key, made.seed, made.piece)
        assert (row["given"], row["made"]) == (8, 30)


def test_a_roll_shows_every_note_once_grey_before_the_line_and_blue_behind_it(results, estimates):
    shown = sample_sections(results, estimates)[0].shown[1]
    made = results.samples["bach-chorales"][shown.label].continuation
    paths = dict(re.findall(r'stroke="(#\w+)" stroke-width="4" d="([^"]*)"', shown.drawing))
    frames = {"#7a808b": range(8), "#0072b2": range(8, 38)}
    for colour, wanted in frames.items():
        drawn = []
        for x, length in re.findall(r"M(\d+) [\d.]+h(\d+)", paths[colour]):
            start = (int(x) - 34) // 3
            drawn += range(start, start + int(length) // 3)
        assert sorted(drawn) == sorted(k for k in wanted for _ in made.steps[k])
    assert f"M{34 + 8 * 3} 0v" in shown.drawing


def test_a_text_is_whole_and_parted_where_the_network_begins(small):
    (section,) = (each for each in sample_sections(small, estimate(small, resamples=50)) if each.name == TEXT)
    for shown in (each for each in section.shown if each.label != ITSELF):
        made = small.samples[TEXT][shown.label].continuation
        assert shown.before + shown.after == made.text
        assert shown.before.split() == [word for word in made.steps[:8] if word.strip() and word != "<eos>"]
        assert shown.drawing is None


def test_without_samples_there_is_no_section(files, small):
    """A campaign that was stored before there were any."""
    assert 'id="samples"' in files["index.html"].decode()
    older = dataclasses.replace(small, corpora={TEXT: small.corpora[TEXT]}, samples={})
    with undrawn(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.report.estimate", partial(estimate, resamples=50))
        others = build_report(older)
    html = others["index.html"].decode()
    assert "#samples" not in html
    assert 'id="samples"' not in html
    check_inert(html)
    assert sample_files(older) == {}
    assert not [name for name in others if name.startswith("samples")]
    some = dataclasses.replace(small, samples={TEXT: small.samples[TEXT]})
    assert [section.name for section in sample_sections(some, estimate(some, resamples=50))] == [TEXT]


def test_a_variant_without_a_sample_is_left_out(small):
    pieces = small.pieces[small.pieces["variant"] != "rnn/softmax/SGD"]  # else it is the best
    scored = dataclasses.replace(small, pieces=pieces)
    plain = plain_of(estimate(scored, resamples=50).primary(TEXT)["variant"].iloc[0])
    others = {name: sampled for name, sampled in small.samples[TEXT].items() if name != plain}
    some = dataclasses.replace(scored, samples={TEXT: others})
    (section,) = sample_sections(some, estimate(some, resamples=50))
    assert len(section.shown) == 2
    assert len(section.others) == len(others) - 1
    only = dataclasses.replace(small, samples={TEXT: {"rnn/softmax/SGD": small.samples[TEXT]["rnn/softmax/SGD"]}})
    (section,) = sample_sections(only, estimate(only, resamples=50))
    assert [(shown.label, shown.why) for shown in section.shown[:1]] == [("SGD", "plain SGD, the best variant on test")]


def test_the_piece_itself_goes_on_beside_them(results, estimates):
    music, _, text = sample_sections(results, estimates)
    itself = music.shown[2]
    of_plain = results.samples["bach-chorales"]["rnn/bernoulli/SGD"]
    roll = replace(of_plain.continuation, steps=of_plain.original)
    assert itself.tune == Tune.of(roll) != music.shown[1].tune
    assert (itself.given, itself.made, itself.piece) == ("8 frames", "30 frames", "test 0")
    assert (itself.file, itself.trial, itself.ended) == ("", "", "")
    of_text = results.samples[TEXT]["rnn/softmax/SGD"]
    assert text.shown[2].before == text.shown[1].before
    whole = replace(of_text.continuation, steps=of_text.original).text
    assert (text.shown[2].before + text.shown[2].after, text.shown[2].tune) == (whole, None)


@pytest.mark.parametrize(("steps", "shown"), [(0, 0), (8, 0), (20, 1)])
def test_a_piece_that_is_not_at_hand_is_not_shown_and_a_shorter_one_says_that_it_ends(small, steps, shown):
    samples = {name: replace(each, original=each.original[:steps]) for name, each in small.samples[TEXT].items()}
    less = replace(small, samples={TEXT: samples})
    (section,) = sample_sections(less, estimate(less, resamples=50))
    itself = [each for each in section.shown if each.label == ITSELF]
    assert [(each.made, each.ended) for each in itself] == [("12 words", "then it ends")][:shown]


def test_samples_of_two_pieces_have_both_pieces_beside_them(small):
    first, other = (small.samples[TEXT][name] for name in ("rnn/softmax/SGD", "rnn/softmax/SGD+C"))
    another = replace(other, original=first.original[:8] + first.original[:-9:-1])
    pieces = small.pieces[small.pieces["variant"].isin(["rnn/softmax/SGD", "rnn/softmax/SGD+C", "baseline/unigram"])]
    scores = pieces["log_likelihood"].where(pieces["variant"] != "rnn/softmax/SGD+C", pieces["log_likelihood"] / 2)
    two = {"rnn/softmax/SGD": first, "rnn/softmax/SGD+C": another}
    results = replace(small, pieces=pieces.assign(log_likelihood=scores), samples={TEXT: two})
    (section,) = sample_sections(results, estimate(results, resamples=50))
    assert [each.label for each in section.shown] == ["SGD+C", "SGD", ITSELF, ITSELF]


def test_a_text_is_played_where_it_is_a_tune_that_says_its_key():
    tune = Tune.of_text("L:1/4\nK:G\nG F", " B2|c")
    assert (tune.notes, tune.places) == ("67 0 48 66 48 96 71 96 192 72 192 240", "10 12 14 17")
    assert (tune.frames, tune.given) == (240, 96)
    assert tune.seconds * 48 == pytest.approx(0.6), "a quarter note"
    assert Tune.of_text("L:1/4\nK:G\nG F", " z|").given == 96
    for before, after in (("the cat", "K:G\nsat"), ("K:\nabc", "d"), ("K:G\n", "...")):
        assert Tune.of_text(before, after) is None


def test_what_is_played_is_what_is_drawn(results, estimates):
    shown = sample_sections(results, estimates)[0].shown[0]
    made = results.samples["bach-chorales"][shown.label].continuation
    numbers = list(map(int, shown.tune.notes.split()))
    notes = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
    sounding = {(note, k) for note, start, end in notes for k in range(start, end)}
    assert sounding == {(note, k) for k, chord in enumerate(made.steps) for note in chord}
    assert (shown.tune.seconds, shown.tune.frames, shown.tune.given) == (0.6, 38, 8), "100 quarter notes a minute"
    assert Tune.of(replace(made, quarters=0.5)).seconds == 0.3


def test_a_text_and_a_title_are_inert_and_one_that_made_fewer_says_so(small, files):
    steps = (EVIL, "\u202e", "&amp;", "<eos>", "x" * 300, "'\"<b>", "\x00")
    alone = dataclasses.replace(small, corpora={TEXT: small.corpora[TEXT]})
    html = undrawn_page(_with(alone, TEXT, steps=steps, given=2, piece=EVIL, asked=99))
    check_inert(html)
    words = _words(html)
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; [U+202E]" in words
    assert "&amp;amp;" in words
    assert "x" * 39 + "…" in words
    assert "x" * 40 not in words
    assert "\x00" not in html
    assert "outgrew" not in files["index.html"].decode()
    assert "5 words of its own, then its state outgrew its numbers; 99 were asked for" in words


def test_names_that_are_no_paths_become_some_and_never_meet(small):
    rename = {"folk-tunes-characters": "a/../b", TEXT: "a b"}
    odd = dataclasses.replace(
        small,
        corpora={rename[name]: facts for name, facts in small.corpora.items()},
        samples={rename[name]: variants for name, variants in small.samples.items() if name in rename},
    )
    names = list(sample_files(odd))
    assert len(names) == len(set(names)) == 10
    assert all(map(valid_path, names))
    assert {name.split("/")[1] for name in names} == {"1-a-b", "2-a-b"}
