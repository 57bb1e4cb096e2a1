"""A time series: how many sunspots next year, and how far may that be off?

Run: python examples/time_series.py
It prints errors of past and shuffled folds, and saves examples/images/time_series.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossRegressor, loss_scorer
from sklloss.displays import COLORS
from sklloss.losses import Pinball

HERE = Path(__file__).parent


def forecaster(loss):
    return make_pipeline(StandardScaler(), LossRegressor(loss, alpha=1e-3))


sunspots = pd.read_csv(HERE / "data" / "sunspots.csv", comment="#", index_col="year")["sunspots"]
years_before = range(1, 12)  # a cycle takes 11 years
X = pd.DataFrame({f"{lag} before": sunspots.shift(lag) for lag in years_before}).dropna()
y = sunspots[X.index]

for name, cv in {"past": TimeSeriesSplit(5), "shuffled": KFold(5, shuffle=True, random_state=0)}.items():
    for loss in ("squared_error", "absolute_error", "huber"):
        errors = -cross_val_score(forecaster(loss), X, y, cv=cv, scoring=loss_scorer("mae"))
        print(f"trained with {loss:>14}, {name:>8} folds: mean absolute error {errors.mean():.1f} sunspots")

forecasts = [
    pd.DataFrame(
        {
            q: forecaster(Pinball(q)).fit(X.iloc[past], y.iloc[past]).predict(X.iloc[next_years])
            for q in (0.1, 0.5, 0.9)
        },
        index=X.index[next_years],
    )
    for past, next_years in TimeSeriesSplit(5).split(X)
]
band = pd.concat(forecasts)
truth = y[band.index]
inside = np.mean((band[0.1] <= truth) & (truth <= band[0.9]))
print(f"{inside:.0%} of the years are between the quantiles 10 % and 90 % that were forecast")

figure, axis = plt.subplots(figsize=(9, 3.4), layout="constrained")
axis.fill_between(band.index, band[0.1], band[0.9], color=COLORS[5], alpha=0.5, linewidth=0,
                  label="forecast, 10 % to 90 %")  # fmt: skip
axis.plot(band.index, band[0.5], color=COLORS[0], linewidth=1, label="forecast, median")
axis.plot(y.index, y, ".", color="black", markersize=4, label="observed")
for part in forecasts:
    axis.axvline(part.index[0], color="0.6", linestyle=":", linewidth=1)
axis.set_title(
    "from each dotted line on: forecasts by models that were trained on the years before it", loc="left", fontsize=9
)
axis.set(xlabel="year", ylabel="sunspots (mean of the year)", xlim=(y.index[0], y.index[-1]), ylim=(0, None))
axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
axis.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE / "images" / "time_series.png", dpi=100, metadata={"Software": None})
