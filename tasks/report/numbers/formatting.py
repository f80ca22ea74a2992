"""Numbers and lists as text for people: a real minus sign, a fixed number of decimals, a dash for a missing number.

Some functions describe a row of the tables of `estimates.py`: how well it is replicated, and which seeds it lost. The
helpers of `tasks/telling/wording.py` that the report uses are handed on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import floor, isfinite, log10
from typing import Any

import pandas as pd

from tasks.telling.wording import first_line as first_line
from tasks.telling.wording import plural as plural
from tasks.telling.wording import visible as visible

NOTHING = "–"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ESTIMATED_BY = "estimated by annealed importance sampling"
"""The explanation of numbers that are marked with ≈."""
ENDS = {"diverged": "diverged", "untrained": "learned nothing", "failed": "failed"}
"""The words for the statuses of trials without a score."""


def number(value: Any, decimals: int) -> str:
    """A value with fixed decimals.

    >>> number(-8.1234, 2), number(float("nan"), 2), number(-0.0001, 2)
    ('−8.12', '–', '0.00')
    """
    if pd.isna(value):
        return NOTHING
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def roughly(text: str, estimated: bool) -> str:
    """A number as written, marked where it is an estimate.

    >>> roughly("−6.59", True), roughly("−9.10", False), roughly("–", True)
    ('≈ −6.59', '−9.10', '–')
    """
    return f"≈ {text}" if estimated and text != NOTHING else text


def signed(value: Any, decimals: int) -> str:
    """A difference, with its sign.

    >>> signed(0.25, 2), signed(-0.25, 2)
    ('+0.25', '−0.25')
    """
    text = number(value, decimals)
    return f"+{text}" if pd.notna(value) and value > 0 and text.strip("0.") else text


def interval(low: Any, high: Any, decimals: int) -> str:
    """An interval in brackets; nothing where there is none.

    >>> interval(-0.1, 0.25, 2)
    '[−0.10, 0.25]'
    """
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def significant(value: Any, digits: int = 3) -> str:
    """A hyper-parameter, rounded to some digits and written without an exponent where that is short.

    >>> significant(0.012345), significant(1.2e-6), significant(200)
    ('0.0123', '1.2e−06', '200')
    """
    if value is None or pd.isna(value):
        return NOTHING
    return f"{value:.{digits}g}".replace("-", "−")


def power_of_ten(power: int) -> str:
    """A power of ten.

    >>> power_of_ten(0), power_of_ten(1), power_of_ten(-12)
    ('1', '10', '10⁻¹²')
    """
    return {0: "1", 1: "10"}.get(power, f"10{str(power).translate(_SUPERSCRIPTS)}")


def share_left(value: Any, smallest: float) -> str:
    """A part of a whole that may be very small, or more than the whole where it grew.

    Args:
        value: the part.
        smallest: what is smaller is not told apart.

    >>> share_left(0.1234, 1e-12), share_left(3.21e-7, 1e-12), share_left(2.5, 1e-12), share_left(1e-12, 1e-12)
    ('12 %', '3.2·10⁻⁷', '250 %', 'below 10⁻¹²')
    >>> share_left(999.9, 1e-12), share_left(1000.0, 1e-12)
    ('99,990 %', '1.0·10³')
    """
    if value is None or not isfinite(value):
        return NOTHING
    if 1e-3 <= value < 1000:
        return f"{100 * value:,.{0 if value >= 0.0995 else 1 if value >= 0.00995 else 2}f} %"
    power = floor(log10(max(value, smallest)))
    if value <= smallest:
        return f"below {power_of_ten(power)}"
    return f"{value / 10.0**power:.1f}·{power_of_ten(power)}"


def percent(value: Any) -> str:
    """A share in percent.

    >>> percent(0.256), percent(0.034), percent(0.0), percent(0.0004), percent(float("nan"))
    ('26 %', '3.4 %', '0 %', '<0.1 %', '–')
    """
    if pd.isna(value):
        return NOTHING
    return "<0.1 %" if 0 < value < 0.001 else f"{100 * value:.1f} %" if 0 < value < 0.0995 else f"{100 * value:.0f} %"


def setting(value: Any) -> str:
    """A hyper-parameter of any type, by its type alone.

    >>> setting(0.25), setting(1200), setting("update-rate"), setting(True), setting((0.02, 0.2)), setting(None)
    ('0.25', '1,200', 'update-rate', 'yes', '0.02 to 0.2', '–')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence):
        return " to ".join(setting(part) for part in value)
    return count(value) if isinstance(value, int) else significant(value)


def count(value: Any) -> str:
    """A whole number with thousands set apart."""
    return NOTHING if value is None or pd.isna(value) else f"{int(value):,}"


def replicates_of(row: Mapping[str, Any]) -> str:
    """How often the pairs of an effect were repeated, of a row of effects: studies, or seeds where there is one study.

    >>> replicates_of({"fewest_studies": 2, "most_studies": 3, "fewest_seeds": 4, "most_seeds": 6})
    '2 to 3 studies'
    >>> replicates_of({"fewest_studies": 1, "most_studies": 1, "fewest_seeds": 3, "most_seeds": 3})
    '3 seeds'
    """
    one, several = ("study", "studies") if row["most_studies"] > 1 else ("seed", "seeds")
    fewest, most = (row[f"{end}_{several}"] for end in ("fewest", "most"))
    told = plural(most, one, several)
    return told if fewest == most else f"{fewest:,} to {told}"


def search_state(row: Mapping[str, Any]) -> str:
    """How far the search of a variant came; of a row of scores.

    >>> search_state({"held_back": True, "search_ended": 3, "search_asked": 4})
    'held back: 3 of 4 search trials ended'
    """
    ended = f"{row['search_ended']} of {plural(row['search_asked'], 'search trial')} ended"
    return f"held back: {ended}" if row["held_back"] else ended


def lost_seeds(row: Mapping[str, Any]) -> list[str]:
    """What became of the seeds of a variant that have no score; of a row of scores.

    >>> lost_seeds({"seeds_diverged": 1, "seeds_untrained": 2, "seeds_failed": 0})
    ['1 diverged', '2 learned nothing']
    """
    # A report of before there was such an end does not count it.
    counts = {words: row.get(f"seeds_{end}", 0) for end, words in ENDS.items()}
    return [f"{many} {words}" for words, many in counts.items() if many]


def joined(names: Sequence[str], word: str = "and") -> str:
    """A list in a sentence.

    >>> joined(["C"]), joined(["C", "R"]), joined(["C", "L", "R"])
    ('C', 'C and R', 'C, L and R')
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def duration(seconds: Any) -> str:
    """Seconds as people say them.

    >>> duration(42), duration(200), duration(7300)
    ('42 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds is None or pd.isna(seconds):
        return NOTHING
    whole = round(float(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(stamp: Any) -> str:
    """A time of the ISO form as date and minute; anything else unchanged.

    >>> moment("2026-10-03T04:05:06+00:00")
    '3 October 2026, 04:05 UTC'
    """
    try:
        when = datetime.fromisoformat(str(stamp))
    except ValueError:
        return str(stamp)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def share(part: int, whole: int) -> str:
    """A count with its percentage.

    >>> share(181, 19864), share(1, 1000), share(1, 1001), share(0, 10)
    ('181 (0.9 %)', '1 (0.1 %)', '1 (<0.1 %)', '0')
    """
    if part == 0:
        return "0"
    return f"{part:,} ({100 * part / whole:.1f} %)" if 1000 * part >= whole else f"{part:,} (<0.1 %)"
