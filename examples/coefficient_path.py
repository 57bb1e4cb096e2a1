"""A path of coefficients: which features enter first, and how many are worth having?

Run: python examples/coefficient_path.py
It prints what cross-validation chooses and saves examples/images/coefficient_path.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold

from sklloss import LossRegressorCV, loss_scorer
from sklloss.displays import CoefficientPathDisplay

HERE = Path(__file__).parent

X, y = load_diabetes(return_X_y=True, as_frame=True)
model = LossRegressorCV("absolute_error", "l1", cv=KFold(10, shuffle=True, random_state=0), scoring=loss_scorer("mae"))
best = model.fit(X, y).alpha_
errors = -model.scores_  # (n_alphas, n_folds)
mean, error = errors.mean(axis=1), errors.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])
simple = model.set_params(choice="one_standard_error").fit(X, y)
for name, alpha in (("best", best), ("one standard error", simple.alpha_)):
    at = int(np.flatnonzero(simple.alphas_ == alpha)[0])
    kept = X.columns[simple.path_.coef[at] != 0]
    print(
        f"{name}: alpha {alpha:.4f}, off by {mean[at]:.1f} ± {error[at]:.1f}, {len(kept)} features: {', '.join(kept)}"
    )

figure, (left, right) = plt.subplots(1, 2, figsize=(10.0, 3.8), layout="constrained", width_ratios=(1.2, 1))
CoefficientPathDisplay.from_estimator(simple, n_named=7, ax=left)
right.errorbar(simple.alphas_, mean, yerr=error, color="0.3", marker="o", markersize=3, capsize=2, linewidth=1)
right.axhline((mean + error)[mean.argmin()], color="0.7", linewidth=0.8, linestyle="--")
for alpha, label, height in ((best, "best", 0.78), (simple.alpha_, "simplest within one standard error", 0.98)):
    right.axvline(alpha, color="0.4", linewidth=1.0, linestyle=":")
    right.annotate(label, (alpha, height), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                   va="top", fontsize=9, color="0.4")  # fmt: skip
right.set(xscale="log", xlabel="alpha, the strength of the penalty", ylabel="mean absolute error, 10 folds")
right.invert_xaxis()
right.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE / "images" / "coefficient_path.png", dpi=100, metadata={"Software": None})
