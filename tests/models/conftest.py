"""One thread for every test of the models: sums are then added in one order, and small sizes run faster."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

torch.set_num_threads(1)
