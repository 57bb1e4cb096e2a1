"""Training: one data set, six losses.  What does one outlier do to the fits, and how do they get there?

Run: python examples/training.py
It prints a table and saves examples/images/training.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sklloss import LossRegressor
from sklloss.displays import COLORS, MARKERS, TrainingDisplay

LOSSES = ["squared_error", "absolute_error", "huber", "epsilon_insensitive", "cauchy", "tukey"]
IMAGE = Path(__file__).parent / "images" / "training.png"

X, y = load_diabetes(return_X_y=True)
y = y / y.std()
models = {loss: LossRegressor(loss, penalty=None).fit(X, y) for loss in LOSSES}
shifts = np.linspace(0, 20, 21)  # by so many standard deviations the first target is raised

print("loss, solver, iterations, passes over the rows, rows that don't pull, how far the outlier moves predictions")
figure, (pulls, *training) = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for (loss, model), color, marker in zip(models.items(), COLORS, MARKERS, strict=False):
    moves = []
    for shift in shifts:
        spoilt = y + shift * (np.arange(len(y)) == 0)
        fit = LossRegressor(loss, penalty=None).fit(X, spoilt)
        moves.append(np.sqrt(np.mean((fit.predict(X) - model.predict(X)) ** 2)))
    pulls.plot(shifts, moves, color=color, marker=marker, markersize=4, markevery=2)
    slope = fit.loss_.scaled(fit.scale_).gradient(spoilt, fit.predict(X))
    on_the_plane = np.abs(spoilt - fit.predict(X)) < 1e-6  # there a loss with a kink pulls both ways
    solution, silent = model.solution_, np.sum((slope == 0) & ~on_the_plane)
    print(loss, solution.solver, solution.n_iter, solution.n_passes, silent, f"{moves[-1]:.3f}", sep="\t")

pulls.set(xlabel="one target raised by (std of y)", ylabel="predictions move by (rms, std of y)")
pulls.set_title("the pull of one outlier", fontsize=10)
pulls.spines[["top", "right"]].set_visible(False)
TrainingDisplay.from_estimators(models, ax=training)
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
