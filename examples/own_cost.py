"""A cost of one's own: to promise too many miles per gallon costs three times as much as to promise too few.

Run: python examples/own_cost.py
It prints what promises cost on cars left out, and saves examples/images/own_cost.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossRegressor, average_loss
from sklloss.displays import COLORS

HERE = Path(__file__).parent


def cost(y_true, raw_prediction):
    return np.where(raw_prediction > y_true, 3.0, 1.0) * np.abs(raw_prediction - y_true)


cars = pd.read_csv(HERE / "data" / "auto_mpg.csv", comment="#")
X, y = cars[["cylinders", "displacement", "horsepower", "weight", "acceleration", "year"]], cars["mpg"]

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained", width_ratios=[2, 3])
error = np.linspace(-10, 10, 201)
left.plot(error, cost(0 * error, error), color=COLORS[0])
left.set(xlabel="promised - true (miles per gallon)", ylabel="cost", title="the cost")
for loss, color, style in zip(("squared_error", "absolute_error", cost), COLORS[2::-1], (":", "--", "-"), strict=True):
    model = make_pipeline(StandardScaler(), LossRegressor(loss))
    promise = cross_val_predict(model, X, y, cv=KFold(5, shuffle=True, random_state=0))
    paid, label = average_loss(y, promise, loss=cost), loss if isinstance(loss, str) else loss.__name__
    print(f"trained with {label:>14}: {paid:.2f} a car, {np.mean(promise > y):.0%} of the promises are too high")
    right.ecdf(promise - y, color=color, linestyle=style, label=f"{label}: {paid:.2f} a car")
right.axvline(0, color="0.6", linewidth=0.8)
right.set(xlabel="promised - true (miles per gallon)", ylabel="share of cars with less", xlim=(-11, 11))
right.set_title("promises for cars left out", loc="left")
right.legend(title="trained with", frameon=False, loc="upper left", fontsize=9)
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE / "images" / "own_cost.png", dpi=100, metadata={"Software": None})
