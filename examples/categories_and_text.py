"""Categories and text: what in the name of a car goes with its fuel economy?

Run: python examples/categories_and_text.py
It prints errors on cars left out, and saves the coefficients by name in examples/images/categories_and_text.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklloss import LossRegressor, loss_scorer
from sklloss.displays import COLORS

HERE = Path(__file__).parent

cars = pd.read_csv(HERE / "data" / "auto_mpg.csv", comment="#")
X, y = cars.drop(columns="mpg"), cars["mpg"]
numbers = ["cylinders", "displacement", "horsepower", "weight", "acceleration", "year"]
columns = [
    ("number", StandardScaler(), numbers),
    ("origin", OneHotEncoder(), ["origin"]),
    ("word", CountVectorizer(binary=True, min_df=5), "name"),  # text: the name of a column, not a list
]
for n_parts in (1, 2, 3):
    search = GridSearchCV(
        make_pipeline(ColumnTransformer(columns[:n_parts]), LossRegressor("absolute_percentage_error", penalty="l1")),
        {"lossregressor__alpha": [1e-4, 3e-4, 1e-3, 3e-3]},
        scoring=loss_scorer("absolute_percentage_error"),
        cv=KFold(5, shuffle=True, random_state=0),
    ).fit(X, y)
    print(f"{' + '.join(name for name, _, _ in columns[:n_parts]):>22}: off by {-search.best_score_:.1%} of the truth")

model = search.best_estimator_
coef = pd.Series(model[-1].coef_, index=model[:-1].get_feature_names_out())
largest = coef[coef.abs().nlargest(26).index].sort_values()
print(f"{np.sum(coef != 0)} of {len(coef)} coefficients are not zero")

figure, axis = plt.subplots(figsize=(7.2, 4.8), layout="constrained")
kinds, names = zip(*(name.split("__") for name in largest.index), strict=True)
looks = {"word": "a word in the name", "number": "a number, per standard deviation", "origin": "the origin"}
for (kind, label), color in zip(looks.items(), np.take(COLORS, [0, 4, 2]), strict=True):
    here = np.flatnonzero(np.array(kinds) == kind)
    axis.barh(here, largest.iloc[here], color=color, label=label)
axis.set_yticks(range(len(largest)), names, fontsize=8)
axis.axvline(0, color="0.6", linewidth=0.8)
axis.set(xlabel="coefficient: change of the prediction (miles per gallon)", ylim=(-0.8, len(largest) - 0.2))
axis.legend(frameon=False, loc="lower right")
axis.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE / "images" / "categories_and_text.png", dpi=100, metadata={"Software": None})
