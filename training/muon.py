"""Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon/): momentum made orthogonal, for weights that are matrices.

A step of it costs more than AdamW's, and the loss falls further by it. Convolutions count as matrices of their output
channels. The rate is AdamW's: a step is as large as one of AdamW usually is (Liu et al. 2025, arXiv:2502.16982).
"""

import math

import torch
import torch.distributed as group

from common import restore

MOMENTUM = 0.95
#: What a Newton-Schulz step makes of singular values: after five of them all are near 1.
STEPS, A, B, C = 5, 3.4445, -4.7750, 2.0315
#: The usual size of AdamW's step, of the rate.
SIZE = 0.2
#: Weights of fewer rows or columns are AdamW's.
SMALLEST = 16


def orthogonal(matrix):
    """The matrix [M, N] with singular values of about 1.

    Newton-Schulz steps multiply from the left by a polynomial of the square, so they are taken on that alone.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide / (wide.norm() + 1e-7)
    square, factor = x @ x.T, None
    for step in range(STEPS):
        polynomial = B * square + C * square @ square
        polynomial.diagonal().add_(A)
        factor = polynomial if factor is None else polynomial @ factor
        if step + 1 < STEPS:
            square = polynomial @ square @ polynomial
    x = factor @ x
    return x.T if wide is not matrix else x


class Muon:
    """Muon for matrices and AdamW for the rest, each of several workers at its part of the matrices."""

    def __init__(self, parameters, workers, rank, weight_decay=1e-3):
        parameters = list(parameters)
        self.matrices = [p for p in parameters if p.ndim > 1 and min(len(p), p[0].numel()) > SMALLEST]
        known = {id(p) for p in self.matrices}
        others = [p for p in parameters if id(p) not in known]
        self.others = torch.optim.AdamW(others, betas=(0.9, 0.99), weight_decay=weight_decay, fused=True)
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.workers, self.rank, self.weight_decay = workers, rank, weight_decay
        self.own = self.parts()[rank]
        self.flat = torch.zeros(sum(p.numel() for p in self.matrices))

    def parts(self):
        """Which matrices each worker makes orthogonal: the costliest first, each to who has the least to do."""
        parts, costs = [set() for _ in range(self.workers)], [0.0] * self.workers
        sides = [(len(p), p[0].numel()) for p in self.matrices]
        work = [4 * m * n * min(m, n) + 40 * min(m, n) ** 3 for m, n in sides]
        for i in sorted(range(len(work)), key=lambda i: -work[i]):
            least = costs.index(min(costs))
            parts[least].add(i)
            costs[least] += work[i]
        return parts

    def state_dict(self):
        return {"momenta": self.momenta, "others": self.others.state_dict()}

    def load_state_dict(self, state):
        restore(self.others, {"optimizer": state["others"]})
        for own, stored in zip(self.momenta, state["momenta"]):
            own.copy_(stored)

    @torch.no_grad()
    def step(self, rate):
        """One step with the parameters' gradients, which all workers have alike."""
        for settings in self.others.param_groups:
            settings["lr"] = rate
        self.others.step()
        gradients = [p.grad for p in self.matrices]
        torch._foreach_lerp_(self.momenta, gradients, 1 - MOMENTUM)
        self.flat.zero_()
        at = [0]
        for p in self.matrices:
            at.append(at[-1] + p.numel())
        for i in self.own:
            ahead = gradients[i].lerp(self.momenta[i], MOMENTUM).flatten(1)
            self.flat[at[i] : at[i + 1]] = (orthogonal(ahead) * math.sqrt(max(ahead.shape))).flatten()
        if self.workers > 1:
            group.all_reduce(self.flat)
        for i, p in enumerate(self.matrices):
            p.mul_(1 - rate * self.weight_decay).add_(self.flat[at[i] : at[i + 1]].view(p.shape), alpha=-rate * SIZE)
