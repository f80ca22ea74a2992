"""One row a member: names are views of it, and gradients land beside it."""

import pytest
import torch

from models.parameters import Parameters

SHAPES = {"matrix": (2, 3), "vector": (4,), "number": ()}


def test_names_share_the_memory_of_the_row():
    parameters = Parameters(2, SHAPES, torch.float64)
    assert parameters.theta_SP.shape == parameters.gradient_SP.shape == (2, 11)
    assert {name: tuple(value.shape) for name, value in parameters.by_name.items()} == {
        "matrix": (2, 2, 3),
        "vector": (2, 4),
        "number": (2,),
    }
    parameters.theta_SP.copy_(torch.arange(22.0).view(2, 11))
    assert parameters.by_name["matrix"][1].tolist() == [[11, 12, 13], [14, 15, 16]]
    assert parameters.by_name["vector"][0].tolist() == [6, 7, 8, 9]
    assert parameters.by_name["number"].tolist() == [10, 21]
    parameters.member(1)["vector"].fill_(-1)
    assert parameters.theta_SP[1].tolist() == [11, 12, 13, 14, 15, 16, -1, -1, -1, -1, 21]
    assert parameters.theta_SP[0].tolist() == list(range(11))


@pytest.mark.parametrize("members", [1, 3])
def test_a_gradient_lands_in_its_row(members):
    parameters = Parameters(members, SHAPES)
    buffer = parameters.gradient_SP
    for factor in (1, 2):
        parts = [factor * (value * (k + 1)).sum() for k, value in enumerate(parameters.by_name.values())]
        parameters.differentiate(sum(parts))
        expected = factor * torch.tensor([1.0] * 6 + [2.0] * 4 + [3.0])
        assert torch.equal(buffer, expected.expand(members, 11))
    parameters.differentiate(parameters.by_name["vector"].sum())
    assert torch.equal(buffer, torch.tensor([0.0] * 6 + [1.0] * 4 + [0.0]).expand(members, 11))


def test_members_that_are_kept_keep_their_rows():
    parameters = Parameters(3, SHAPES)
    parameters.theta_SP.copy_(torch.arange(33.0).view(3, 11))
    parameters.keep([2, 0])
    assert parameters.theta_SP[:, 0].tolist() == [22, 0]
    assert parameters.by_name["number"].tolist() == [32, 10]
    parameters.differentiate(parameters.by_name["number"].sum())
    assert parameters.gradient_SP.sum() == 2
    parameters.keep([])
    assert parameters.by_name["matrix"].shape == (0, 2, 3)


def test_split_cuts_any_matrix_laid_out_the_same():
    parameters = Parameters(1, SHAPES)
    rows = torch.arange(11.0)[None]
    parts = parameters.split(rows)
    assert torch.equal(torch.cat([part.flatten() for part in parts.values()]), rows[0])
    parts["number"].fill_(-5)
    assert rows[0, 10] == -5
