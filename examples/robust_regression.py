"""Robust regression: which days of a chemical plant does the fit distrust?

Run: python examples/robust_regression.py
It prints coefficients beside those of R's MASS::rlm and saves examples/images/robust_regression.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklloss import LossRegressor
from sklloss.displays import ResidualWeightDisplay
from sklloss.losses import Huber

HERE = Path(__file__).parent

plant = pd.read_csv(HERE / "data" / "stackloss.csv", comment="#")
plant.index += 1  # days are counted from 1
X, y = plant.drop(columns="stack_loss"), plant["stack_loss"]

models = {
    "squared_error": LossRegressor("squared_error", penalty=None),
    "huber": LossRegressor(Huber(1.345), penalty=None, scale="mad"),
    "tukey": LossRegressor("tukey", penalty=None, scale="mad"),
}
rlm = {"huber": [0.8294, 0.9261, -0.1278, -41.0265], "tukey": [0.9275, 0.6507, -0.1123, -42.2853]}
for label, model in models.items():
    model.fit(X, y)
    print(f"{label:>15}", np.append(model.coef_, model.intercept_).round(4), "R:", rlm.get(label, "-"))

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), sharey=True, layout="constrained")
fitted = models["squared_error"].predict(X)
left.scatter(fitted, y - fitted, s=24, color="0.75", edgecolors="0.3")
for day in (1, 3, 4, 21):
    left.annotate(day, (fitted[day - 1], y[day] - fitted[day - 1]), (5, 4), textcoords="offset points", fontsize=8)
left.axhline(0, color="0.6", linewidth=0.8, zorder=0)
left.set(title="squared_error: each day has the same say", ylabel="observed - predicted loss (‰)")
left.spines[["top", "right"]].set_visible(False)
ResidualWeightDisplay.from_estimator(models["tukey"], X, y, n_named=3, ax=right)
right.set(title="tukey: day 21 has next to none", ylabel="")
for axis in (left, right):
    axis.set_xlabel("predicted loss of ammonia (‰)")
figure.savefig(HERE / "images" / "robust_regression.png", dpi=100, metadata={"Software": None})
