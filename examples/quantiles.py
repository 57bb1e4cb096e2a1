"""Quantiles: what do households spend on food, and how far do they differ?

Run: python examples/quantiles.py
It prints the lines of five quantiles and saves examples/images/quantiles.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklloss import LossRegressor
from sklloss.displays import COLORS
from sklloss.losses import Pinball

HERE = Path(__file__).parent

households = pd.read_csv(HERE / "data" / "engel.csv", comment="#")
X, y = households[["income"]], households["food"]
ends = pd.DataFrame({"income": [X["income"].min(), 3000.0]})

figure, axis = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
axis.scatter(X["income"], y, s=9, color="0.7")
for quantile, color in zip((0.05, 0.25, 0.5, 0.75, 0.95), np.take(COLORS, [5, 0, 6, 0, 5]), strict=True):
    model = LossRegressor(Pinball(quantile), penalty=None).fit(X, y)
    line = model.predict(ends)
    below = np.mean(y <= model.predict(X) + 1e-6)  # two households lie on each line
    print(f"{quantile:4.0%}: {model.intercept_:6.2f} + {model.coef_[0]:.4f} * income, which {below:.0%} do not exceed")
    axis.plot(ends["income"], line, color=color)
    axis.annotate(f"{quantile:.0%}: {model.coef_[0]:.2f}", (3000, line[-1]), (4, 0), color=color,
                  textcoords="offset points", va="center", fontsize=9)  # fmt: skip
mean = LossRegressor("squared_error", penalty=None).fit(X, y)
axis.plot(ends["income"], mean.predict(ends), "--", color=COLORS[1])
axis.annotate(f"mean: {mean.coef_[0]:.2f}", (3000, mean.predict(ends)[-1]), (4, 5), color=COLORS[1],
              textcoords="offset points", va="center", fontsize=9)  # fmt: skip
axis.text(0.03, 0.97, "beside each line: how much of one\nmore franc of income goes to food", va="top", fontsize=9,
          transform=axis.transAxes)  # fmt: skip
axis.set(xlabel="income of the household (francs a year)", ylabel="spent on food (francs a year)", xlim=(300, 3000))
axis.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE / "images" / "quantiles.png", dpi=100, metadata={"Software": None})
