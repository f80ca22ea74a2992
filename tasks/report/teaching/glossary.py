"""The words of a report in a plain sentence each, and where each of them first appears.

The first time that a word stands in running text or in a caption it becomes a button, which shows its sentence: the
browser's own popover, without a script. What this does not do: explain what a technique does (`lessons.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A word of the report.

    Attributes:
        name: as it stands in the list.
        sentence: what it means.
        forms: how else it is written.
    """

    name: str
    sentence: str
    forms: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The identifier of its sentence in a page."""
        return f"word-{re.sub(r'[^a-z0-9]+', '-', self.name.lower())}"


WORDS = (
    Word(
        "accuracy",
        "Of the notes of a frame and those that the network guesses for it, how many are right: right ones over "
        "the larger of the two numbers, in percent.",
    ),
    Word(
        "annealed importance sampling",
        "A way to estimate by chance what cannot be computed: here the sum over all chords that an RBM's "
        "probabilities are divided by.",
    ),
    Word(
        "baseline",
        "What can be had without a network, by counting notes or symbols: a network that is no better has learned "
        "nothing.",
        ("baselines",),
    ),
    Word(
        "bits per character",
        "How many yes-or-no answers a character costs if the network's predictions are used to guess it; fewer is "
        "better. One bit is 0.69 nats.",
    ),
    Word(
        "diverged",
        "Training blew up: the cost went far above that of blind guessing, or was no number any more.",
        (
            "diverge",
            "diverges",
            "divergence",
        ),
    ),
    Word(
        "draw",
        "One configuration that the search tries, made by lot: a learning rate, a size, the techniques' own numbers.",
        ("draws",),
    ),
    Word(
        "epoch",
        "Once through all pieces that are trained on.",
        ("epochs",),
    ),
    Word(
        "frame",
        "One column of a piano-roll: the notes that sound at one moment.",
        ("frames",),
    ),
    Word(
        "gradient",
        "For every parameter, how fast the cost rises when it is turned up a little; training goes the other way.",
        ("gradients",),
    ),
    Word(
        "held back",
        "A variant of whose search a trial is missing gets no score, since a choice among fewer would not be a "
        "fair one.",
    ),
    Word(
        "interval",
        "The range in which the true value lies in 95 of 100 such reports; a short one is a sure one.",
        ("intervals",),
    ),
    Word(
        "lag",
        "How many steps lie between something in a sequence and the moment when it is needed.",
        ("lags",),
    ),
    Word(
        "learned nothing",
        "Training came to its end, and the network predicts no better than counting does.",
    ),
    Word(
        "learning rate",
        "How far one update goes along the gradient; too little takes for ever, too much blows up.",
        ("learning rates",),
    ),
    Word(
        "log-likelihood",
        "The logarithm of the probability that the network gave to what really came; it is negative, and nearer to"
        " zero is better.",
    ),
    Word(
        "nat",
        "The unit of a logarithm of probabilities: at −9 nats per frame the network gave to the notes that really "
        "came a probability of e to the −9, one in 8,100. Nearer to zero is better; 0.1 nats more is a probability"
        " 1.11 times as high.",
        ("nats",),
    ),
    Word(
        "note-probability",
        "The baseline that knows how often each note sounds, and nothing else.",
    ),
    Word(
        "perplexity",
        "Among how many equally likely words the network seems to choose at each step: e to the power of the nats "
        "per word; fewer is better.",
    ),
    Word(
        "plain SGD",
        "Stochastic gradient descent with nothing added: a small step against the gradient, chunk of music after "
        "chunk. All techniques are compared with it.",
    ),
    Word(
        "retention",
        "Which share of its old value a leaky unit keeps at each step; one less the update rate.",
    ),
    Word(
        "rung",
        "A round of the search: all draws are trained for few epochs, and only the better ones go on to the next "
        "round.",
        ("rungs",),
    ),
    Word(
        "sampled",
        "Drawn by lot, each possibility as often as the network's probability for it says.",
    ),
    Word(
        "seed",
        "The number that all chance of a training comes from; with a fresh seed the same training has new luck.",
        (
            "seeds",
            "fresh seed",
            "fresh seeds",
        ),
    ),
    Word(
        "spectral radius",
        "The largest stretch that repeated use of the recurrent weights comes to: over 1 what is stored grows from"
        " step to step, under 1 it fades.",
    ),
    Word(
        "study",
        "The whole comparison once, with draws, a choice and seeds of its own. Several of them show what is luck.",
        ("studies",),
    ),
    Word(
        "test split",
        "Pieces that no network was trained or chosen on, scored once at the end.",
        ("test pieces",),
    ),
    Word(
        "union accuracy",
        "As accuracy, over all notes that either sound or are guessed: the stricter of the two.",
    ),
    Word(
        "update",
        "One small change of all parameters, after one chunk of data.",
        ("updates",),
    ),
    Word(
        "update rate",
        "Which share of a leaky unit is new at each step: with 0.02 it takes some 50 steps to forget.",
        (
            "update-rate",
            "rate of updates",
        ),
    ),
    Word(
        "validation",
        "Pieces that no network was trained on, used to choose among configurations; the score that counts comes "
        "from other ones.",
    ),
    Word(
        "variant",
        "A network with one way to train it: SGD+CL is plain SGD with clipping and leaky units.",
        ("variants",),
    ),
)
"""In the order of the alphabet."""

_OF_FORM = {form: word for word in WORDS for form in (word.name.lower(), *word.forms)}
_FORM = re.compile(
    rf"(?<![\w/+-])({'|'.join(sorted(map(re.escape, _OF_FORM), key=len, reverse=True))})(?![\w/+-])", re.IGNORECASE
)
# A drawing and a text as it is are one piece; so is every tag.
_PIECE = re.compile(r"(<svg\b.*?</svg>|<pre\b.*?</pre>|<script\b.*?</script>|<[^>]*>)", re.DOTALL)
_TAG = re.compile(r"<(/?)(\w+)")
_RUNNING = frozenset({"p", "li", "caption", "figcaption"})
"""Elements in which a word may become a button."""
_CLOSED = frozenset({"a", "button", "code", "summary", "th", "td", "b"})
"""Elements in which it may not."""


def explained(html: str) -> tuple[str, tuple[Word, ...]]:
    """A part of a page with a button at the first place of each word, and the words that it has.

    >>> html, words = explained("<p>In nats; more nats.</p>")
    >>> html
    '<p>In <button type="button" class="term" popovertarget="word-nat">nats</button>; more nats.</p>'
    >>> [word.name for word in words]
    ['nat']
    """
    found: set[Word] = set()
    pieces = list(_with_buttons(_PIECE.split(html), found))
    return "".join(pieces), tuple(word for word in WORDS if word in found)


def _with_buttons(pieces: list[str], found: set[Word]) -> Iterator[str]:
    open_tags: list[str] = []

    def button(match: re.Match[str]) -> str:
        word = _OF_FORM[match.group().lower()]
        if word in found:
            return match.group()
        found.add(word)
        return f'<button type="button" class="term" popovertarget="{word.anchor}">{match.group()}</button>'

    for piece in pieces:
        if tag := _TAG.match(piece):
            ends, name = tag.groups()
            if not ends and name in _RUNNING | _CLOSED:
                open_tags.append(name)
            elif ends and name in open_tags:
                del open_tags[len(open_tags) - 1 - open_tags[::-1].index(name) :]
            yield piece
        elif _RUNNING & set(open_tags) and not _CLOSED & set(open_tags):
            yield _FORM.sub(button, piece)
        else:
            yield piece
