"""A reader of the report's sentences: every claim is held against the tables, and what it cannot read fails.

It knows the grammar of `tasks/report/words/answer.py` and none of its code: names, numbers and words come out of
the text, and must agree with the rows of scores and effects, as `results.json` has them. README's sentences are read
by the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

Row = Mapping[str, Any]

_NUMBER = r"[+−]?[\d,]+(?:\.\d+)?"
_CHANGE = rf"(?P<value>{_NUMBER})(?: \[(?P<low>{_NUMBER}), (?P<high>{_NUMBER})\])?"
_NAME = r"(?:[\w-]+/)*(?:SGD|Adam|HF)(?:\+[A-Z]+)?"
_ESTIMATED = r"(?:, estimated by annealed importance sampling)?"
_UNIT = r"(?:nats per frame|bits per character|perplexity|%)"
_SCORE = (
    rf"(?P<name>{_NAME}|plain SGD) with (?:≈ )?(?P<mean>{_NUMBER}) {_UNIT}"
    rf"(?: \[(?P<from>{_NUMBER}), (?P<to>{_NUMBER})\])?{_ESTIMATED}"
)
_BESIDE = (
    rf", (?P<said>better than|worse than|which cannot be told apart from|no further from) (?P<plain>{_NAME}|plain SGD)"
    rf"(?: by| than these decimals show)? \(?{_CHANGE}\)?"
)
_ONE_STUDY = rf", {_CHANGE} beside (?P<plain>{_NAME}|plain SGD) in one study"
_LETTERS = r"(?:[A-Z](?:, | and | or )?)+"
_REPEATED = r"(?P<repeated>\d+(?: to \d+)? (?:stud(?:y|ies)|seeds?))"
_BASIS = rf"(?P<pairs>\d+) pairs?(?: of (?P<groups>[^,;]+))?, {_REPEATED}"


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _letters(text: str) -> list[str]:
    return re.findall(r"[A-Z]", text)


class Reader:
    """Reads the sentences on one corpus.

    Args:
        scores: rows of the first metric of the corpus, best first; those of README do not tell what is tied.
        effects: those of the techniques on that metric; None where only the words can be held against their numbers.
    """

    def __init__(self, scores: Sequence[Row], effects: Sequence[Row] | None) -> None:
        self.scores = [row for row in scores if not row["variant"].startswith("baseline/")]
        self.effects = None if effects is None else {row["technique"]: row for row in effects}
        self.claims = 0

    def read(self, text: str) -> None:
        """Read all sentences of a text; one that cannot be read, or is not true, fails."""
        for sentence in re.split(r"(?<=\.) (?=[A-Z])", " ".join(text.split())):
            if sentence:
                self._sentence(sentence)

    def _sentence(self, sentence: str) -> None:
        kinds: list[tuple[str, Callable[[re.Match[str]], None]]] = [
            (
                r"On \S+ no variant(?: of (?P<family>\S+))? came to a test score(, so nothing can be said)?\.",
                self._none,
            ),
            (
                rf"On \S+ the best variant(?: of (?P<family>\S+))? on the test split was {_SCORE}(?P<rest>.*)\.",
                self._best,
            ),
            (r"The best of the other cores? (?:and|or) output models?: (?P<rest>.*)\.", self._others),
            (r"Averaged over the variants with and without it, (?P<rest>.*)\.", self._averaged),
            (r"Added alone, (?P<rest>.*)\.", self._alone),
        ]
        for pattern, read in kinds:
            if found := re.fullmatch(pattern, sentence):
                read(found)
                return
        pytest.fail(f"nobody can read: {sentence}")

    def _row(self, name: str, family: str | None = None) -> Row:
        """The row of a variant by the whole of its name, or by what is not shared."""
        inside = [row for row in self.scores if family is None or row["variant"].startswith(f"{family}/")]
        rows = [row for row in inside if row["variant"] == name or row["variant"].endswith(f"/{name}")]
        assert len(rows) == 1, (name, [row["variant"] for row in rows])
        return rows[0]

    def _of(self, family: str | None) -> list[Row]:
        inside = [row for row in self.scores if family is None or row["variant"].rpartition("/")[0] == family]
        return [row for row in inside if row["mean"] is not None and row["mean"] == row["mean"]]

    def _none(self, found: re.Match[str]) -> None:
        assert self._of(found["family"]) == []
        self.claims += 1

    def _is_printed(self, text: str | None, value: Any) -> None:
        if text is None:
            assert value is None or value != value
            return
        decimals = len(text.partition(".")[2])
        assert _value(text) == pytest.approx(float(f"{value:.{decimals}f}"), abs=1e-9), (text, value)

    def _score(self, found: re.Match[str], family: str | None) -> Row:
        plain = found["name"] == "plain SGD"
        row = self._row("SGD" if plain else found["name"], family)
        best = self._of(row["variant"].rpartition("/")[0])[0]
        assert row is best, "what is called the best is the first of its family"
        for text, column in ((found["mean"], "mean"), (found["from"], "low"), (found["to"], "high")):
            self._is_printed(text, row[column])
        self.claims += 1
        return row

    def _best(self, found: re.Match[str]) -> None:
        row = self._score(found, found["family"])
        families = {each["variant"].rpartition("/")[0] for each in self.scores}
        assert (found["family"] is None) == (len(families) == 1), "where there are several, it is named"
        rest = self._beside(row, found["rest"])
        family = row["variant"].rpartition("/")[0]
        inside = self._of(family)[1:]
        told_of_ties = all("tied_in_family" in each for each in inside)
        tied = [each["variant"] for each in inside if told_of_ties and each["tied_in_family"]]
        if told := re.fullmatch(r"(?P<rivals>.*?) cannot be told apart from it", rest.lstrip(";: ").split("; ")[-1]):
            many = re.fullmatch(r"(\d+) others", told["rivals"])
            names = re.findall(_NAME, told["rivals"])
            named = [self._row(name, family or None)["variant"] for name in names]  # short names have none
            assert not told_of_ties or (len(tied) == int(many[1]) if many else named == tied)
        elif rest.endswith("every other one is worse") or not rest:
            one_study = all(each.get("n_studies", 2) == 1 for each in self._of(None))
            assert one_study or not tied or len(self._of(family)) == 1 or row["difference"] is None
        elif rest == ", the only one that came to a score":
            assert len(self._of(family)) == 1
        else:
            reason = re.fullmatch(
                rf"; (?P<plain>{_NAME}|plain SGD) (was not asked for|has no test score to compare with)", rest
            )
            assert reason, rest
            assert row["difference"] is None or row["difference"] != row["difference"]

    def _beside(self, row: Row, text: str) -> str:
        """Hold what is said of a difference against the row; what follows it."""
        single, found = re.match(_ONE_STUDY, text), re.match(_BESIDE, text)
        if single is None and found is None:
            return text
        replicated = row.get("diff_studies", 2) > 1  # README's rows do not tell
        assert replicated == (single is None), "one study has no word, several have one"
        if single is not None:
            assert single["plain"] in (row["reference"], "plain SGD")
            for part, column in (("value", "difference"), ("low", "diff_low"), ("high", "diff_high")):
                self._is_printed(single[part], row[column])
            self.claims += 1
            return text[single.end() :]
        assert found is not None
        if found["plain"] != "plain SGD":
            assert found["plain"] == row["reference"], "a difference is to the plain one of the same family"
        else:
            assert len({each["variant"].rpartition("/")[0] for each in self.scores}) == 1, "whose plain SGD?"
        sign = -1 if found["said"] == "worse than" else 1
        self._is_printed(found["value"], sign * row["difference"])
        if "diff_sim_low" in row:
            ends = [row["diff_sim_low"], row["diff_sim_high"]][::sign]
            for text_of, end in zip((found["low"], found["high"]), ends, strict=True):
                self._is_printed(text_of, None if end is None else sign * end)
        else:
            low, high = (sign * end for end in (row["diff_low"], row["diff_high"])[::sign])
            assert _value(found["low"]) <= low < high <= _value(found["high"]), "it holds that of one difference alone"
        self._judge({"better than": "better", "worse than": "better"}.get(found["said"], "none"), found)
        self.claims += 1
        return text[found.end() :]

    def _judge(self, said: str, found: Mapping[str, Any] | re.Match[str]) -> None:
        """The words of a verdict against the numbers that stand behind them, as they are printed."""
        low, high = (None if found[end] is None else _value(found[end]) for end in ("low", "high"))
        if said == "none":
            assert low is None or high is None or low <= 0 <= high
            return
        assert low is not None
        assert high is not None
        assert low > 0 if said == "better" else high < 0

    def _others(self, found: re.Match[str]) -> None:
        parts = found["rest"].split("; ")
        families = set()
        for part in parts:
            score = re.match(_SCORE, part)
            assert score, part
            row = self._score(score, None)
            assert self._beside(row, part[score.end() :]) == ""
            families.add(row["variant"].rpartition("/")[0])
        told = {row["variant"].rpartition("/")[0] for row in self._of(None)}
        assert len(families) == len(parts)
        assert len(told - families) <= 1, "every family but the main one"

    def _averaged(self, found: re.Match[str]) -> None:
        told = set()
        rest, _, of_one = found["rest"].partition("in one study, too little for a verdict: ")
        for clause in re.finditer(rf"(?P<letter>[A-Z]) {_CHANGE}, {_BASIS}(?:; |$)", of_one):
            told.add(clause["letter"])
            self._effect(clause["letter"], clause, int(clause["pairs"]), replicated=False)
        for part in filter(None, rest.removesuffix("; ").split("; ")):
            if none := re.fullmatch(
                rf"(?:no technique \()?({_LETTERS})\)? made (?:no|a) difference that can be told from chance", part
            ):
                for letter in _letters(none[1]):
                    told.add(letter)
                    self._unclear(letter)
                continue
            clauses = list(re.finditer(rf"(?P<letter>[A-Z]) (?P<said>helped |hurt )?\({_CHANGE}, {_BASIS}\)", part))
            assert clauses, part
            for clause in clauses:
                told.add(clause["letter"])
                said = {"helped ": "better", "hurt ": "worse"}.get(clause["said"] or "", "none")
                assert said != "none" or part.endswith("changed less than these decimals show")
                self._judge(said, clause)
                assert said == "none" or _value(clause["value"]) != 0, "what is printed as nothing is no effect"
                self._effect(clause["letter"], clause, int(clause["pairs"]), replicated=True)
        if self.effects is not None:
            assert told == {letter for letter, row in self.effects.items() if row["n_pairs"]}

    def _unclear(self, letter: str) -> None:
        self.claims += 1
        if self.effects is not None:
            row = self.effects[letter]
            assert row["fewest_studies"] > 1
            assert row["sim_low"] is None or not (row["sim_low"] > 0 or row["sim_high"] < 0)

    def _effect(self, letter: str, found: re.Match[str], pairs: int, *, replicated: bool) -> None:
        self.claims += 1
        if self.effects is None:
            return
        row = self.effects[letter]
        assert replicated == (row["fewest_studies"] > 1), "a word needs studies"
        sim = "sim_" if replicated else ""
        for text, column in ((found["value"], "effect"), (found["low"], f"{sim}low"), (found["high"], f"{sim}high")):
            self._is_printed(text, row[column])
        numbers, _, unit = found["repeated"].rpartition(" ")
        of = "studies" if row["most_studies"] > 1 else "seeds"
        fewest, _, most = numbers.partition(" to ")
        assert unit in {"studies": ("study", "studies"), "seeds": ("seed", "seeds")}[of]
        assert (pairs, int(fewest), int(most or fewest)) == tuple(
            row[k] for k in ("n_pairs", f"fewest_{of}", f"most_{of}")
        )

    def _alone(self, found: re.Match[str]) -> None:
        words = {"improved on": "better", "did worse than": "worse", "cannot be told apart from": "none",
                 "came within these decimals of": "none"}  # fmt: skip
        told: list[str] = []
        for part in found["rest"].split("; "):
            clause = re.fullmatch(
                rf"(?P<letters>{_LETTERS}) (?P<said>{'|'.join(words)}) (?P<plain>{_NAME}|plain SGD)", part
            )
            assert clause, part
            plain = self._row("SGD" if clause["plain"] == "plain SGD" else clause["plain"])["variant"]
            for letter in _letters(clause["letters"]):
                assert letter not in told, "a technique is judged once"
                told.append(letter)
                row = self._row(f"{plain}+{letter}")
                assert row["reference"] == plain
                assert row["diff_studies"] > 1, "one study has no word"
                low, high = row["diff_sim_low"], row["diff_sim_high"]
                said = words[clause["said"]]
                assert low > 0 if said == "better" else high < 0 if said == "worse" else True
                if clause["said"] == "cannot be told apart from":
                    assert low is None or not (low > 0 or high < 0)
                self.claims += 1
