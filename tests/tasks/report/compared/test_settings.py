"""What differs in what was asked, in code and in data, from two tables of facts."""

from dataclasses import replace

from tasks.report.compared.settings import campaign_differences, code_differences, data_of, differences
from tests.tasks.report.compared.versions import CORPUS, DIGEST, version


def test_equal_settings_differ_in_nothing():
    assert campaign_differences(version(1), version(1)) == code_differences(version(1), version(1)) == ()
    (data,) = data_of(version(1), version(1))
    assert (data.state, data.differences) == ("the same", ())


def test_campaign_code_and_data_tell_both_values():
    before = version(1, spaces={CORPUS: {"learning_rate": {"low": 1e-4, "high": 0.1, "scale": "log"}}}, rungs=3)
    after = version(2, spaces={CORPUS: {"learning_rate": {"low": 1e-3, "high": 0.1, "scale": "log"}}}, title="words")
    told = {each.name: (each.before, each.after) for each in campaign_differences(before, after)}
    assert told == {
        "spaces: songs: learning rate": ("0.0001 to 0.1, log", "0.001 to 0.1, log"),
        "rungs": ("3", ""),
        "seed": ("1", "2"),
    }
    code = replace(
        after, provenance={**after.provenance, "versions": {"torch": "2.14.0"}, "dirty": True, "numerics": 7}
    )
    told = {each.name: (each.before, each.after) for each in code_differences(before, code)}
    assert told.keys() == {"commit", "dirty", "numerics", "versions: torch"}
    assert (told["versions: torch"], told["dirty"], told["numerics"]) == (("2.13.0", "2.14.0"), ("", "yes"), ("", "7"))


def test_of_lists_of_names_only_what_the_other_lacks_is_told():
    (told,) = differences({"variants": list("abcd")}, {"variants": list("bcda") + ["e"]})
    assert (told.before, told.after) == ("", "e")
    (told,) = differences({"activation": ["tanh", "relu"]}, {"activation": ["relu", "tanh"]})
    assert (told.before, told.after) == ("tanh, relu", "relu, tanh")  # an order decides what is drawn
    (told,) = differences({"epochs": [3, 9]}, {"epochs": 9})
    assert (told.before, told.after) == ("3, 9", "9")
    (told,) = differences({"reading": "low"}, {"reading": ["low", "high"]})
    assert (told.before, told.after) == ("low", "low, high")


def test_another_corpus_tells_its_digests_and_sizes():
    after = version(2, digest="e" * 64, pieces=9)
    (data,) = data_of(version(1), after)
    assert (data.state, data.before, data.after) == ("another", DIGEST, "e" * 64)
    assert [(each.name, each.before, each.after) for each in data.differences] == [("pieces: test", "12", "9")]
    first, second = data_of(version(1), replace(after, corpora={"tunes": after.corpora[CORPUS]}))
    assert [(each.corpus, each.state) for each in (first, second)] == [("tunes", "only after"), (CORPUS, "only before")]
