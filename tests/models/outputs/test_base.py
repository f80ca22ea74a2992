"""What the base of output models refuses."""

import pytest

from models.outputs import Output


@pytest.mark.parametrize(("old", "new"), [("answers", "predicts_last_value"), ("steady", "static_shapes")])
def test_an_old_name_is_refused_with_the_new_one(old: str, new: str) -> None:
    with pytest.raises(TypeError, match=f"^Old: what was `{old}` of an output model is `{new}` now$"):
        type("Old", (Output,), {"name": "old", "symbols": False, old: True})
    assert getattr(type("New", (Output,), {"name": "new", "symbols": False, new: True}), new) is True
