"""Writes test/golden/evaluation.json: random scores of an evaluation, what the paper's formulas make of them (LMOps,
promptist/diff_prompter/ppo_prompter.py: f_rel, f_aes and their sum), and the percentile intervals of scipy.stats.bootstrap
over prompts, each with the mean of its seeds.

Made with Python 3, numpy 2.4.6, scipy 1.17.1; the seeds are below.
Run: python test/golden/evaluation.py
"""

import json
from pathlib import Path

import numpy as np
from scipy.stats import bootstrap

PROMPTS, REWRITERS, SEEDS, BASELINE = 60, 3, 2, 2
RESAMPLES = 200_000
random = np.random.default_rng(20)


def interval(*samples):
    """Of the mean, or of the difference of two samples' means."""
    statistic = np.mean if len(samples) == 1 else lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis)
    found = bootstrap(
        samples, statistic, n_resamples=RESAMPLES, method="percentile", batch=2_000, rng=np.random.default_rng(1)
    ).confidence_interval
    mean = float(np.mean(samples[0]) - (np.mean(samples[1]) if len(samples) == 2 else 0))
    return {"mean": mean, "low": float(found.low), "high": float(found.high), "n": len(samples[0])}


# A prompt has its own level, each rewriter an effect, each picture its noise: [prompts, rewriters, seeds]
level = random.normal(0, 0.04, (PROMPTS, 1, 1))
relevance = np.clip(0.27 + level + np.array([-0.02, 0.005, 0])[None, :, None] + random.normal(0, 0.02, (PROMPTS, REWRITERS, SEEDS)), -1, 1)
taste = random.normal(0, 0.4, (PROMPTS, 1, 1))
beauty = 5.2 + taste + np.array([0.5, 0.1, 0])[None, :, None] + random.exponential(0.3, (PROMPTS, REWRITERS, SEEDS))
# Two prompts whose rewrite is the prompt have the same pictures.
relevance[:2, 0], beauty[:2, 0] = relevance[:2, BASELINE], beauty[:2, BASELINE]
relevance, beauty = relevance.round(5), beauty.round(5)

clip = np.maximum(relevance, 0)
f_rel = np.where(clip > 0.28, 0, 20 * clip - 5.6)
f_aes = beauty - beauty[:, [BASELINE]]
measures = {"reward": f_rel + f_aes, "relevance": relevance, "beauty": beauty}

expected = []
for name, values in measures.items():
    for rewriter in range(REWRITERS):
        gain = values[:, rewriter] - values[:, BASELINE]
        win = np.where(gain > 0, 1, np.where(gain < 0, 0, 0.5))
        entry = {"measure": name, "rewriter": rewriter}
        # The baseline's gains are all 0, of which scipy has no interval.
        parts = {"mean": values[:, rewriter]} | ({} if rewriter == BASELINE else {"gain": gain, "wins": win})
        expected.append(entry | {key: interval(part.mean(axis=1)) for key, part in parts.items()})

# The paper takes f_aes against the mean beauty of the plain pictures; over all seeds the mean is the same.
paper = (f_rel[:, 0] + beauty[:, 0] - beauty[:, BASELINE].mean(axis=1, keepdims=True)).mean()
assert abs(paper - measures["reward"][:, 0].mean()) < 1e-9

gains = (measures["reward"][:, 0] - measures["reward"][:, BASELINE]).mean(axis=1)
inside = list(range(3, 25))
outside = [i for i in range(PROMPTS) if i not in inside]
group = {
    "prompts": inside,
    "gain": interval(gains[inside]),
    "difference": interval(gains[inside], gains[outside]),
}
content = {
    "prompts": PROMPTS, "rewriters": REWRITERS, "seeds": SEEDS, "baseline": BASELINE,
    "relevance": relevance.ravel().tolist(), "beauty": beauty.ravel().tolist(),
    "expected": expected, "group": group,
}
(Path(__file__).parent / "evaluation.json").write_text(json.dumps(content) + "\n")
