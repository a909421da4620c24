"""Strengths of duellers after Bradley and Terry with a normal prior (choix 0.4.1, scikit-learn 1.9.1, numpy, scipy).

Writes bradley-terry/expected.json: for each set of duels the shares against the reference with 95 % intervals. The mode
comes from choix and, held to it here, from scikit-learn's logistic regression; the intervals from the curvature at it.
Run: python test/golden/bradley_terry.py
"""
import json
import pathlib

import choix
import numpy as np
import sklearn
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

HERE = pathlib.Path(__file__).parent
Z = 1.959964
# one, other, won by one, won by the other
CASES = {
    "few": [("promptist", "none", 2, 1)],
    "all won": [("promptist", "none", 6, 0), ("magicprompt", "promptist", 0, 3)],
    "a ring": [("promptist", "none", 31, 19), ("magicprompt", "none", 24, 26), ("magicprompt", "promptist", 9, 14),
               ("given", "promptist", 3, 3), ("style:ink", "magicprompt", 2, 8)],
    "without the reference": [("a", "b", 40, 10), ("b", "c", 30, 20)],
    "many": [("a", "none", 6000, 4000), ("b", "none", 5200, 4800), ("a", "b", 1150, 850)],
}


def rate(duels):
    names = list(dict.fromkeys(["none", *(name for one, other, _, _ in duels for name in (one, other))]))
    at = {name: i for i, name in enumerate(names)}
    data = [(at[a], at[b]) for one, other, won, lost in duels
            for a, b, times in ((one, other, won), (other, one, lost)) for _ in range(times)]
    # choix's penalty is alpha times the sum of squares; that of a normal prior with deviation 1 is half of it.
    mode = choix.opt_pairwise(len(names), data, alpha=0.5, tol=1e-12)
    rows = np.zeros((len(data), len(names)))
    for row, (winner, loser) in enumerate(data):
        rows[row, winner], rows[row, loser] = 1, -1
    # Each duel also the other way round, or there would be one class; C then counts each half.
    both = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(
        np.vstack([rows, -rows]), np.repeat([1, 0], len(rows)))
    assert np.allclose(mode, both.coef_[0], atol=2e-4), (mode, both.coef_)
    # One more round of Newton, for digits beyond those at which choix stops.
    for _ in range(5):
        share = expit(rows @ mode)
        curvature = (rows * (share * (1 - share))[:, None]).T @ rows + np.eye(len(names))
        mode = mode + np.linalg.solve(curvature, rows.T @ (1 - share) - mode)
    covariance = np.linalg.inv(curvature)
    rated = []
    for name, i in at.items():
        contrast = np.zeros(len(names))
        contrast[i] += 1
        contrast[0] -= 1
        ahead, deviation = contrast @ mode, np.sqrt(contrast @ covariance @ contrast)
        rated.append({"name": name, "share": expit(ahead), "low": expit(ahead - Z * deviation),
                      "high": expit(ahead + Z * deviation),
                      "n": sum(won + lost for one, other, won, lost in duels if name in (one, other))})
    return rated


def main():
    (HERE / "bradley-terry").mkdir(exist_ok=True)
    expected = {
        "choix": "0.4.1", "scikit-learn": sklearn.__version__,
        "cases": [{
            "name": name,
            "duels": [dict(zip(("one", "other", "won", "lost"), duel)) for duel in duels],
            "ratings": rate(duels),
        } for name, duels in CASES.items()],
    }
    (HERE / "bradley-terry" / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
