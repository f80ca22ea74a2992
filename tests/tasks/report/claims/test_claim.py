"""The rule by which rows decide a claim, and how a row is told."""

import pytest

from tasks.report.claims import CLAIMS, Claim, Evidence
from tests.tasks.report.claims.hand import measured


def _row(said, **changed):
    facts = {
        "corpus": "songs", "what": "L, test score (nats per frame)", "value": 0.1, "low": -0.02, "high": 0.3,
        "decimals": 2, "basis": "2 pairs, 3 studies", "table": "effects", "said": said,
    }  # fmt: skip
    return Evidence(**facts | changed)


@pytest.mark.parametrize(("said", "verdict"), [
    ("", "not tried"), ("u", "cannot be told"), ("fu", "supported"), ("au", "contradicted"), ("fau", "mixed"),
])  # fmt: skip
def test_rows_decide(said, verdict):
    names = {"f": "for", "a": "against", "u": "unclear"}
    claim = Claim("leaky", "Leaky units help.", "3.2", "L", tuple(_row(names[letter]) for letter in said))
    assert claim.verdict == verdict
    assert [row.said for row in claim.deciding] == [names[letter] for letter in said if letter != "u"]
    assert len(claim.deciding) + len(claim.undecided) == len(said)
    assert claim.to_json()["verdict"] == verdict


def test_a_row_is_told_with_its_interval():
    assert _row("unclear").line == "L, test score (nats per frame): +0.10 [−0.02, 0.30] (2 pairs, 3 studies)"
    assert _row("for", times=True, value=0.5, basis="").line.endswith(": 0.50 [−0.02, 0.30]")


def test_where_nothing_was_tried_every_claim_says_what_it_needs():
    claims = [claim(measured()) for claim in CLAIMS]
    assert [claim.verdict for claim in claims] == ["not tried"] * 12
    assert all(claim.needs and claim.text.endswith(".") for claim in claims)
    assert len({claim.name for claim in claims}) == 12
