"""A claim of the paper, the rows that speak for it or against it, and the one rule by which they decide.

    supported       a row speaks for it, and none against
    contradicted    a row speaks against it, and none for
    mixed           both
    cannot be told  there are rows, and none can be told from chance
    not tried       there is no row

A row speaks if there are enough studies, and if its interval, which holds for all of its family at once, lies on one
side of no change (`verdicts.py`). What this does not do: measure anything.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.report.numbers.formatting import interval, number, signed
from tasks.report.numbers.verdicts import Verdict

Said = Literal["for", "against", "unclear"]
ClaimVerdict = Literal["supported", "contradicted", "mixed", "cannot be told", "not tried"]
OF_VERDICT: Mapping[Verdict, Said] = {"better": "for", "worse": "against"}
"""What a verdict says of a claim that something is better; the others say nothing."""


@dataclass(frozen=True)
class Evidence:
    """A number that speaks for a claim, against it, or for neither.

    Attributes:
        corpus: on which it was measured.
        what: the measured quantity, with its unit.
        value, low, high: the number, and the interval that its verdict rests on.
        decimals: number of printed decimals.
        basis: the pairs, studies or draws that it rests on.
        table: name of the table of `results.json` with the number.
        said: for, against, or unclear.
        times: True if the value is a factor, so that 1 is no change; otherwise 0 is no change.
    """

    corpus: str
    what: str
    value: float
    low: float
    high: float
    decimals: int
    basis: str
    table: str
    said: Said
    times: bool = False

    @property
    def line(self) -> str:
        """`L, test score (nats per frame): +0.10 [0.02, 0.18] (8 pairs, 5 studies)`, without the corpus."""
        value = number(self.value, self.decimals) if self.times else signed(self.value, self.decimals)
        change = f"{value} {interval(self.low, self.high, self.decimals)}".rstrip()
        return f"{self.what}: {change}" + (f" ({self.basis})" if self.basis else "")


@dataclass(frozen=True)
class Claim:
    """A claim and what is known about it.

    Attributes:
        name: for programs.
        text: the claim.
        section: of arXiv:1212.0901 that makes the claim.
        needs: what a campaign needs to have rows for it.
        evidence: the rows.
    """

    name: str
    text: str
    section: str
    needs: str
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> ClaimVerdict:
        """By the rule of this file."""
        said = {row.said for row in self.evidence}
        if not said:
            return "not tried"
        if {"for", "against"} <= said:
            return "mixed"
        if "for" in said:
            return "supported"
        return "contradicted" if "against" in said else "cannot be told"

    @property
    def deciding(self) -> tuple[Evidence, ...]:
        """The rows that the verdict rests on."""
        return tuple(row for row in self.evidence if row.said != "unclear")

    @property
    def undecided(self) -> tuple[Evidence, ...]:
        """The rows that say nothing."""
        return tuple(row for row in self.evidence if row.said == "unclear")

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        told = {"claim": self.name, "text": self.text, "section": self.section, "verdict": self.verdict}
        return told | {"needs": self.needs, "rows": [asdict(row) for row in self.evidence]}
