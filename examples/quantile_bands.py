"""Bands of quantiles: nine levels in one fit, and what happens where they would cross.

Run: python examples/quantile_bands.py
It prints coverage and crossings on cars held out, and saves examples/images/quantile_bands.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from sklloss import LossRegressor, average_loss
from sklloss.losses import Pinball

HERE = Path(__file__).parent
LEVELS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
FEATURES = ["horsepower", "weight", "year"]


def crossing_rate(y_pred):
    """The share of rows on which a quantile is below the one before; equal ones touch."""
    return np.mean(np.diff(y_pred, axis=1).min(axis=1) < -1e-6)


def model_with(non_crossing):
    curves = SplineTransformer(n_knots=4, extrapolation="linear")
    return make_pipeline(
        StandardScaler(), curves, LossRegressor(Pinball(LEVELS), alpha=1e-6, non_crossing=non_crossing)
    )


def held_out(cars, non_crossing, repeats=5):
    """Coverage of the band from 10 % to 90 %, crossing rate on rows of the fit and on others, mean loss: (4,)."""
    results = []
    for seed in range(repeats):
        train, test = train_test_split(cars, random_state=seed)
        model = model_with(non_crossing).fit(train[FEATURES], train["mpg"])
        y_pred, y = model.predict(test[FEATURES]), test["mpg"].to_numpy()
        inside = (y_pred[:, 1] <= y) & (y <= y_pred[:, 7])
        seen = crossing_rate(model.predict(train[FEATURES]))
        results.append([inside.mean(), seen, crossing_rate(y_pred), average_loss(y, y_pred, loss=Pinball(LEVELS))])
    return np.mean(results, axis=0)


def table(cars):
    lines = ["non_crossing   in the band   cross in the fit   cross held out   average loss"]
    for option in ("none", "sort", "constrain"):
        lines.append("{:<13s}{:>12.1%}{:>19.1%}{:>17.1%}{:>15.3f}".format(option, *held_out(cars, option)))
    return "\n".join(lines)


if __name__ == "__main__":
    cars = pd.read_csv(HERE / "data" / "auto_mpg.csv", comment="#")
    print(table(cars))

    figure, axes = plt.subplots(1, 2, figsize=(10.0, 3.6), sharey=True, layout="constrained")
    cars = cars[::3]
    weight = np.linspace(cars["weight"].min(), cars["weight"].max(), 300)
    for axis, option in zip(axes, ("none", "constrain"), strict=True):
        curves = make_pipeline(SplineTransformer(n_knots=6), LossRegressor(Pinball(LEVELS), penalty=None))
        curves.set_params(lossregressor__non_crossing=option).fit(cars[["weight"]], cars["mpg"])
        band = curves.predict(pd.DataFrame({"weight": weight}))
        axis.scatter(cars["weight"], cars["mpg"], s=7, color="0.75")
        for k in range(4):
            axis.fill_between(weight, band[:, k], band[:, 8 - k], color="#0072B2", alpha=0.16, linewidth=0)
        axis.plot(weight, band, color="#0072B2", linewidth=0.8)
        crossed = np.diff(band, axis=1).min(axis=1) < -1e-6
        axis.fill_between(weight, 0, 1, where=crossed, transform=axis.get_xaxis_transform(), color="#D55E00", alpha=0.2)
        axis.set(title=f'non_crossing="{option}"', xlabel="weight of the car (pounds)")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set(ylabel="miles per gallon")
    figure.savefig(HERE / "images" / "quantile_bands.png", dpi=100, metadata={"Software": None})
