"""Which loss to train with?  Train with each, judge by each, in nested cross-validation.

Run: python examples/compare_losses.py
It prints two comparisons and saves examples/images/compare_losses.png.
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import KFold

from sklloss import average_loss, compare_losses

SPOILT = 1500.0  # what is added to 10 % of the targets, which are 25 to 346
IMAGE = Path(__file__).parent / "images" / "compare_losses.png"


def spoil(y):
    """Add SPOILT to every tenth target of a fixed shuffle."""
    rows = np.random.default_rng(0).permutation(len(y))[: len(y) // 10]
    spoilt = y.copy()
    spoilt[rows] += SPOILT
    return spoilt


def true_absolute_error(y_spoilt, y_pred):
    """Mean absolute error on the true targets: which rows are spoilt can be seen, as the true targets are small."""
    return mean_absolute_error(np.where(y_spoilt > SPOILT, y_spoilt - SPOILT, y_spoilt), y_pred)


def regression():
    """Diabetes with spoilt targets: what does each yardstick pick, and is it right?"""
    X, y = load_diabetes(return_X_y=True)
    median = make_scorer(average_loss, greater_is_better=False, loss="absolute_error", aggregate="median")
    comparison = compare_losses(
        X,
        spoil(y),
        ["squared_error", "huber", "absolute_error", "log_cosh"],
        scoring={
            "MSE, spoilt": "squared_error",
            "MAE, spoilt": "absolute_error",
            "median, spoilt": median,
            "MAE, truth": make_scorer(true_absolute_error, greater_is_better=False),
        },
        cv=KFold(5, shuffle=True, random_state=0),
    )
    print(f"Diabetes, {SPOILT:g} added to 10 % of the targets\n\n{comparison}\n")
    for judge in comparison.metrics_[:3]:
        error = mean_absolute_error(y, comparison.best(judge).predict(X))
        print(
            f"Judged by {judge}, the model is trained with {comparison.winners_[judge]}: off by {error:.0f} in truth."
        )
    return comparison


def classification():
    """Breast cancer: the loss that judges need not be the loss that trains."""
    comparison = compare_losses(
        *load_breast_cancer(return_X_y=True),
        ["log_loss", "hinge", "squared_hinge"],
        scoring=["log_loss", "hinge", "accuracy"],
        param_grid={"alpha": [1e-3, 1e-2, 1e-1]},
    )
    print(f"\nBreast cancer\n\n{comparison}")


if __name__ == "__main__":
    matplotlib.use("Agg")
    comparison = regression()
    classification()
    IMAGE.parent.mkdir(exist_ok=True)
    comparison.plot().figure_.savefig(IMAGE, dpi=120, metadata={"Software": None})
    print(f"\nSaved {IMAGE.relative_to(Path(__file__).parent.parent)}.")
