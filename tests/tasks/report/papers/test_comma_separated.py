"""CSV: what is read back is what was there, and no cell is computed."""

import io

import numpy as np
import pandas as pd
import pytest

from tasks.report import estimate
from tasks.report.export import results_parquet
from tasks.report.papers.comma_separated import scores_csv, to_csv
from tests.tasks.report.pages_made import small_results


def test_scores_read_back_are_those_of_the_parquet_file() -> None:
    estimates = estimate(small_results("folk-tunes-words"), resamples=20)
    told = scores_csv(estimates)
    assert told == scores_csv(estimates)
    read = pd.read_csv(io.BytesIO(told), keep_default_na=False, na_values=[""])
    stored = pd.read_parquet(io.BytesIO(results_parquet(estimates)))
    assert list(read) == list(stored)
    assert stored["difference"].isna().any()
    for name in stored:
        if stored[name].dtype.kind in "fiub":
            np.testing.assert_array_equal(read[name], stored[name], err_msg=name)
        else:
            assert ["" if pd.isna(each) else each for each in read[name]] == stored[name].tolist(), name


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@sum(a)", "＝1", "－a", "＋a", "＠a"])
def test_a_text_that_a_spreadsheet_would_compute_has_an_apostrophe(text: str) -> None:
    table = pd.DataFrame({text: [text, f"a{text}"], "number": [-1.5, 2.0]})
    read = pd.read_csv(io.BytesIO(to_csv(table)))
    assert list(read) == [f"'{text}", "number"]
    assert read[f"'{text}"].tolist() == [f"'{text}", f"a{text}"]
    assert read["number"].tolist() == [-1.5, 2.0], "a negative number stays one"


@pytest.mark.parametrize("blank", "\t\r\n\0\u200b")
def test_a_sign_that_cannot_be_seen_hides_no_formula_and_ends_no_row(blank: str) -> None:
    told = to_csv(pd.DataFrame({"piece": [f"{blank}=1", f"a{blank}b"]})).decode()
    assert told == f"piece\n[U+{ord(blank):04X}]=1\na[U+{ord(blank):04X}]b\n"


def test_commas_and_quotes_stay_in_their_cells() -> None:
    table = pd.DataFrame({"piece": ['a, "b"'], "whole": [3], "none": [None]})
    assert to_csv(table) == b'piece,whole,none\n"a, ""b""",3,\n'
