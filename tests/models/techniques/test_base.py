"""What the base of techniques refuses."""

import pytest

from models.techniques import Technique


def test_the_old_name_of_whether_it_goes_with_gates_is_refused_with_the_new_one():
    with pytest.raises(TypeError, match="^Old: what was `gated` of a technique is `goes_with_gates` now$"):
        type("Old", (Technique,), {"letter": "O", "title": "old", "gated": False})
    assert not type("New", (Technique,), {"letter": "O", "title": "new", "goes_with_gates": False}).goes_with_gates
