"""Three ways to choose the wrong model, each beside the right way, in numbers.

Run: python examples/pitfalls.py
It prints the table of the guide and saves examples/images/pitfalls.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossRegressor, average_loss, loss_scorers
from sklloss.displays import COLORS
from sklloss.losses import Huber

DELTAS, ALPHAS = np.geomspace(0.1, 1000, 9), np.geomspace(1e-3, 10, 9)
X, y = load_diabetes(return_X_y=True)
spoilt = y + 1500 * (np.random.default_rng(0).permutation(len(y)) < len(y) // 10)  # y is 25 to 346


def true_error(y_spoilt, y_pred):
    return np.mean(np.abs(y_spoilt - 1500 * (y_spoilt > 1500) - y_pred))


def left_out(judges, loss, target=y, **params):
    """Errors on rows left out, by judge."""
    model = make_pipeline(StandardScaler(), LossRegressor(loss, **params))
    scores = cross_validate(model, X, target, cv=KFold(5, shuffle=True, random_state=0), scoring=judges)
    return {judge: -scores[f"test_{judge}"].mean() for judge in judges}


def results():
    """What each judge says of losses on spoilt targets, of deltas, and of alphas for two losses."""
    median = make_scorer(average_loss, greater_is_better=False, loss="absolute_error", aggregate="median")
    judges = {**loss_scorers("mse"), "median": median, "truth": make_scorer(true_error, greater_is_better=False)}
    losses = {loss: left_out(judges, loss, spoilt) for loss in ("squared_error", "huber", "absolute_error")}
    deltas = {d: left_out(loss_scorers(Huber(d), "mae"), Huber(d), scale=None, penalty=None) for d in DELTAS}
    squared, absolute = ([left_out(loss_scorers("mae"), loss, alpha=a) for a in ALPHAS] for loss in ("mse", "mae"))
    return losses, deltas, np.array([[row["absolute_error"] for row in rows] for rows in (squared, absolute)])


def table(losses, deltas, alphas):
    """Choices and how far they are off, as a table in Markdown."""
    a, b = (min(losses, key=lambda loss: losses[loss][judge]) for judge in ("squared_error", "median"))
    c, d = (min(deltas, key=lambda delta: deltas[delta][judge]) for judge in ("huber", "absolute_error"))
    (e, f), (g, h) = alphas[:, np.isclose(ALPHAS, 1)].ravel(), alphas.min(axis=1)
    return f"""| what is chosen | wrong | right |
|---|---|---|
| a loss, a tenth of the targets spoilt | MSE takes {a}: off by {losses[a]["truth"]:.0f} in truth \
| the median error takes {b}: off by {losses[b]["truth"]:.0f} |
| the delta of huber | its own loss takes {c:.3g}, the smallest: off by {deltas[c]["absolute_error"]:.1f} \
| MAE takes {d:.3g}: off by {deltas[d]["absolute_error"]:.1f} |
| squared_error or absolute_error | at alpha = 1: off by {e:.1f} or {f:.1f} \
| each at its best alpha: off by {g:.1f} or {h:.1f} |"""


if __name__ == "__main__":
    losses, deltas, alphas = results()
    print(table(losses, deltas, alphas))
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    left.barh(list(losses), [row["truth"] for row in losses.values()], color=np.take(COLORS, [1, 0, 0]))
    left.set(title="of spoilt targets MSE is no judge", xlabel="off by, in truth (unit of y)")
    for judge, label, look in (("huber", "its own loss", "o-"), ("absolute_error", "MAE", "s--")):
        said = np.array([row[judge] for row in deltas.values()])
        middle.loglog(DELTAS, said / said[-1], look, label=label, color=COLORS[judge == "huber"])
    middle.set(title="the loss that is tuned is no judge", xlabel="delta (unit of y)", ylabel="relative to the last")
    right.semilogx(ALPHAS, alphas[0], "o-", label="squared_error", color=COLORS[2])
    right.semilogx(ALPHAS, alphas[1], "s--", label="absolute_error", color=COLORS[3])
    right.set(title="each loss has its own alpha", xlabel="alpha", ylabel="off by (unit of y)")
    for axis in (middle, right):
        axis.legend(frameon=False)
    figure.savefig(Path(__file__).parent / "images" / "pitfalls.png", dpi=100, metadata={"Software": None})
