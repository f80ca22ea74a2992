"""Samples played in a real browser: the notes that are drawn, at their pitches and times, not too loud, one at a time;
and words that show their sentence.

The page's own buttons are pressed. Its audio goes into a buffer in place of a loudspeaker, and is looked at there.
"""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from tasks.report.numbers.results import Sampled
from tasks.trials.continuation import Continuation
from tests.tasks.report.browser import Browser, browser, find_browser
from tests.tasks.report.pages_made import of_variants, small_results, undrawn_page

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: nothing is played"),
]
CORPUS, PLAIN = "bach-chorales", "rnn/bernoulli/SGD"
SHOWN = {"SGD": PLAIN, "SGD+C": f"{PLAIN}+C", "SGD+L": f"{PLAIN}+L"}
DRONE = 40
RATE, SECONDS, LEAD = 22_050, 24, 0.08
# A context whose time stands still until a test moves it, and that plays into a buffer.
_SILENT = f"""window.played = []; window.now = 0;
window.AudioContext = function () {{
  const context = new OfflineAudioContext(1, {RATE * SECONDS}, {RATE});
  Object.defineProperty(context, 'currentTime', {{ get: () => window.now }});
  context.resume = () => Promise.resolve();
  context.close = () => {{ context.isClosed = true; return Promise.resolve(); }};
  window.played.push(context);
  return context;
}};"""
# The strength of each frequency between two times (Goertzel's algorithm, a Hann window): 1 of a tone of amplitude 1.
_STRENGTHS = """(frequencies, from, to) => {
  const sound = window.sound.subarray(Math.round(from * RATE), Math.round(to * RATE)), n = sound.length;
  return frequencies.map(frequency => {
    const twice = 2 * Math.cos(2 * Math.PI * frequency / RATE);
    let last = 0, before = 0;
    for (let i = 0; i < n; i++) {
      const next = sound[i] * (1 - Math.cos(2 * Math.PI * i / n)) + twice * last - before;
      before = last; last = next;
    }
    return 2 / n * Math.sqrt(Math.max(0, last * last + before * before - twice * last * before));
  });
}""".replace("RATE", str(RATE))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "index.html"
    results = of_variants(small_results(CORPUS), CORPUS, *SHOWN.values())
    samples = {**results.samples[CORPUS], PLAIN: Sampled(_plain(), b"", results.samples[CORPUS][PLAIN].original)}
    path.write_text(undrawn_page(replace(results, samples={CORPUS: samples})), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture
def window(running: Browser, page: Path) -> Iterator[Browser]:
    """The page, freshly opened, with audio that goes nowhere."""
    asked = running.call("Page.addScriptToEvaluateOnNewDocument", source=_SILENT)["identifier"]
    running.open(page, 1200)
    yield running
    running.call("Page.removeScriptToEvaluateOnNewDocument", identifier=asked)
    assert running.complaints == []


def _press(window: Browser, name: str, text: str = "Play") -> None:
    window.evaluate(f"""document.querySelector('[aria-label="{text}: {name}"]').click()""")


def _strengths(window: Browser, notes: list[int], start: float, end: float) -> list[float]:
    frequencies = [440 * 2 ** ((note - 69) / 12) for note in notes]
    found: list[float] = window.evaluate(f"({_STRENGTHS})({frequencies}, {start}, {end})")
    return found


def _render(window: Browser) -> float:
    """Play what was scheduled into the buffer; the highest amplitude."""
    peak: float = window.evaluate("""window.played.at(-1).startRendering().then(buffer => {
      window.sound = buffer.getChannelData(0);
      return window.sound.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    })""")
    return peak


def _plain() -> Continuation:
    """What plain SGD made, over a note that is held from the beginning to the end."""
    made = small_results(CORPUS).samples[CORPUS][PLAIN].continuation
    return replace(made, steps=tuple((DRONE, *(note for note in step if note != DRONE)) for step in made.steps))


def _clear(chord: tuple[int, ...]) -> list[int]:
    """The notes from C3 to C7 that are neither in a chord nor overtones of its notes."""
    overtones = {note + above for note in chord for above in (0, 12, 19, 24, 28)}
    return [note for note in range(48, 97) if note not in overtones]


@pytest.mark.parametrize(("text", "first"), [("Play", 0), ("Skip the beginning", 8)])
def test_each_frame_sounds_at_its_time_with_its_notes_and_is_not_too_loud(window, text, first):
    made = _plain()
    _press(window, "SGD", text)
    assert 0.2 < _render(window) < 1
    frames = range(first, len(made.steps), 5)
    for frame in frames:
        start = LEAD + 0.6 * (frame - first)
        chord = made.steps[frame]
        on = _strengths(window, list(chord), start + 0.05, start + 0.5)
        off = _strengths(window, _clear(chord), start + 0.05, start + 0.5)
        assert all(strength > 0.04 for strength in on), (frame, chord, on)
        assert max(off) < 0.004, frame
    end = LEAD + 0.6 * (len(made.steps) - first)
    assert max(_strengths(window, list(range(48, 97)), end + 0.01, end + 0.4)) < 1e-6


def test_every_sample_has_its_buttons_and_the_piece_itself_has_too(window):
    labels = window.evaluate("[...document.querySelectorAll('#samples button')].map(b => b.getAttribute('aria-label'))")
    shown = [label.removeprefix("Play: ") for label in labels if label.startswith("Play: ")]
    assert sorted(shown) == [*SHOWN, "The piece itself"]
    assert sum(label.startswith("Skip the beginning: ") for label in labels) == 3
    assert set(window.evaluate("[...document.querySelectorAll('#samples button')].map(b => b.type)")) == {"button"}


def test_a_name_of_other_people_stays_text(window, page, tmp_path):
    name = "<img src=x onerror=alert(1)>"
    odd = tmp_path / "index.html"
    odd.write_text(page.read_text(encoding="utf-8").replace('data-name="SGD"', f'data-name="{escape(name)}"'))
    window.open(odd, 1200)
    _press(window, name)
    assert window.evaluate("document.querySelector('[aria-label^=Stop]').ariaLabel") == f"Stop {name}"
    assert window.evaluate("document.images.length") == 0


def _lines(window: Browser) -> list[float]:
    window.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[float] = window.evaluate("[...document.querySelectorAll('.playhead')].map(l => l.x1.baseVal.value)")
    return found


def test_a_line_moves_over_the_roll_one_plays_at_a_time_and_it_ends_by_itself(window):
    told = "[...document.querySelectorAll('#samples .time')].map(t => t.textContent).join('')"
    _press(window, "SGD")
    assert _lines(window) == [34]
    window.evaluate(f"window.now = {LEAD} + 10 * 0.6")
    assert _lines(window) == pytest.approx([34 + 10 * 3])
    assert window.evaluate(told) == "0:06 of 0:22"
    assert window.evaluate("document.querySelector('.playhead').closest('figure').dataset.name") == "SGD"
    _press(window, "The piece itself", "Skip the beginning")
    assert _lines(window) == pytest.approx([34 + 8 * 3])
    assert window.evaluate("document.querySelectorAll('[aria-label^=Stop]').length") == 1
    window.evaluate(f"window.now += {LEAD} + 30 * 0.6 + 0.01")
    assert _lines(window) == []
    assert window.evaluate("document.querySelectorAll('[aria-label^=Stop]').length") == 0
    assert window.evaluate(told) == ""


@pytest.mark.parametrize("how", ["escape", "button"])
def test_it_is_stopped_by_its_button_and_by_escape(window, how):
    _press(window, "SGD")
    if how == "escape":
        for kind in ("rawKeyDown", "keyUp"):
            window.call("Input.dispatchKeyEvent", type=kind, key="Escape", code="Escape", windowsVirtualKeyCode=27)
    else:
        window.evaluate("document.querySelector('[aria-label^=Stop]').click()")
    assert _lines(window) == []
    closed = "new Promise(done => setTimeout(() => done(window.played[0].isClosed), 200))"
    assert window.evaluate(closed) is True


def test_nothing_moves_where_less_motion_is_asked_for(window):
    window.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    _press(window, "SGD")
    assert _lines(window) == []
    assert window.evaluate("document.querySelectorAll('[aria-label^=Stop]').length") == 1


TUNE = "L:1/4\nK:G\nG F|B2 [ce]"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of text, whose samples are a tune in ABC notation."""
    name, variant = "folk-tunes-characters", "rnn/softmax/SGD"
    results = of_variants(small_results(name), name, variant)
    made = replace(results.samples[name][variant].continuation, steps=tuple(TUNE), given=14, asked=8)
    path = tmp_path_factory.mktemp("text") / "index.html"
    samples = {name: {variant: Sampled(made, made.to_bytes())}}
    path.write_text(undrawn_page(replace(results, samples=samples)), encoding="utf-8")
    return path


def test_a_tune_in_letters_is_played_and_its_letter_is_marked(window, written):
    window.open(written, 1200)
    _press(window, "SGD")
    marked = "[...(CSS.highlights.get('playing') ?? [])].map(range => [range.toString(), range.startOffset])"
    wait = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    found = []
    for beat in (0, 1.5, 2, 4.5):
        window.evaluate(f"window.now = {LEAD} + 0.6 * {beat} + 0.01")
        window.evaluate(wait)
        found += window.evaluate(marked)
    assert found == [["G", 10], ["F", 12], ["B", 0], ["c", 4]], "in what was given, and in what was made"
    assert _render(window) < 1
    for note, beat in ((67, 0), (66, 1), (71, 2), (72, 4), (76, 4)):
        (strength,) = _strengths(window, [note], LEAD + 0.6 * beat + 0.05, LEAD + 0.6 * beat + 0.5)
        assert strength > 0.08
    window.evaluate(f"window.now = {LEAD} + 0.6 * 6")
    window.evaluate(wait)
    assert window.evaluate("CSS.highlights.size") == 0


@pytest.fixture
def unscripted(window: Browser, page: Path) -> Iterator[Browser]:
    window.call("Emulation.setScriptExecutionDisabled", value=True)
    window.open(page, 1200)
    yield window
    window.call("Emulation.setScriptExecutionDisabled", value=False)


def test_without_scripts_there_is_no_button(unscripted):
    assert unscripted.evaluate("document.querySelectorAll('#samples figure').length") == 3
    assert unscripted.evaluate("document.querySelectorAll('#samples figure button, #samples li button').length") == 0


def test_a_word_shows_its_sentence_where_it_is_pressed_also_without_scripts(unscripted):
    shown = "[...document.querySelectorAll('[popover]')].filter(e => e.checkVisibility()).map(e => e.id)"
    assert unscripted.evaluate(shown) == []
    unscripted.evaluate("document.querySelector('[popovertarget=word-nat]').click()")
    assert unscripted.evaluate(shown) == ["word-nat"]
    unscripted.evaluate("document.querySelector('[popovertarget=word-frame]').click()")
    assert unscripted.evaluate(shown) == ["word-frame"]
