"""Posterior of the Bradley-Terry model with a normal prior: the mode by scikit-learn where the prior's mean is 0,
which has no other; gradient and curvature by statsmodels.

Made with Python 3.11 and the versions that the file names, seed 20:
    python test/golden/taste.py
Writes test/golden/taste.json.
"""

import json
import pathlib

import numpy as np
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

random = np.random.default_rng(20)
ROWS, FEATURES = 80, 9
x = np.where(random.random((ROWS, FEATURES)) < 0.35, 1.0, 0.0)
x[:, -2] = 1.0
x[:, -1] = random.uniform(0.2, 3.0, ROWS)
x = np.round(x, 6)
weight = random.integers(1, 6, ROWS).astype(float)
truth = random.normal(0, 0.8, FEATURES)
won = np.array([random.binomial(int(n), 1 / (1 + np.exp(-row @ truth))) for n, row in zip(weight, x)], float)
# Ties count half for each.
won[:10] = np.minimum(weight[:10], won[:10] + 0.5)
mean = np.round(random.normal(0, 0.3, FEATURES), 6)
deviation = np.round(random.uniform(0.2, 0.9, FEATURES), 6)


def mode(x, weight, won):
    """Newton's method; statsmodels' gradient has to agree."""
    offset = x @ mean
    scaled = x * deviation
    u = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-(offset + scaled @ u)))
        gradient = scaled.T @ (won - weight * p) - u
        hessian = scaled.T @ (scaled * (weight * p * (1 - p))[:, None]) + np.eye(len(u))
        u = u + np.linalg.solve(hessian, gradient)
    return mean + deviation * u


def by_sklearn(x, weight, won):
    """The mode with the mean 0."""
    rows = np.concatenate([x * deviation, x * deviation])
    y = np.concatenate([np.ones(len(x)), np.zeros(len(x))])
    share = np.concatenate([won, weight - won])
    kept = share > 0
    model = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-12, max_iter=10_000, solver="newton-cg")
    model.fit(rows[kept], y[kept], sample_weight=share[kept])
    return deviation * model.coef_[0]


def by_statsmodels(x, weight, won, at):
    """The gradient and the curvature of the log-likelihood at a point."""
    model = sm.GLM(
        won / weight, x, family=sm.families.Binomial(), freq_weights=weight
    )
    return model.score(at), -model.hessian(at, observed=False)


zero = by_sklearn(x, weight, won)
_, curvature = by_statsmodels(x, weight, won, zero)
at_zero = np.linalg.inv(curvature + np.diag(deviation**-2))
gradient, _ = by_statsmodels(x, weight, won, zero)
assert np.abs(gradient - zero / deviation**2).max() < 1e-6, "both references agree on the mode"

shifted = mode(x, weight, won)
gradient, curvature = by_statsmodels(x, weight, won, shifted)
assert np.abs(gradient - (shifted - mean) / deviation**2).max() < 1e-8, "statsmodels' gradient is 0 at the mode"
at_shifted = np.linalg.inv(curvature + np.diag(deviation**-2))

out = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__},
    "x": x.tolist(),
    "weight": weight.tolist(),
    "won": won.tolist(),
    "deviation": deviation.tolist(),
    "mean": mean.tolist(),
    "centred": {"mode": zero.tolist(), "covariance": at_zero.tolist()},
    "shifted": {"mode": shifted.tolist(), "covariance": at_shifted.tolist()},
}
pathlib.Path(__file__).with_name("taste.json").write_text(json.dumps(out) + "\n")
