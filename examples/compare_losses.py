"""Search over the loss, as over any other parameter: robust regression, margins, softmax.

Run: python examples/compare_losses.py
It prints three tables and saves examples/images/compare_losses.png.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, LossRegressor, average_loss, loss_scorer

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


def print_table(title, rows, columns, values, formats):
    """Losses, positive; the best of each column is marked with a star."""
    print(f"\n{title}\n")
    width = max(map(len, rows)) + 2
    print("trained with".ljust(width) + "".join(name.rjust(26) for name in columns))
    best = [format(value, spec) for value, spec in zip(np.nanmin(values, axis=0), formats, strict=True)]
    for row, line in zip(rows, values, strict=True):
        cells = ["-" if np.isnan(value) else format(value, spec) for value, spec in zip(line, formats, strict=True)]
        marked = (cell + ("*" if cell == least else " ") for cell, least in zip(cells, best, strict=True))
        print(row.ljust(width) + "".join(cell.rjust(26) for cell in marked))


def at_best(results, mask, judge):
    """Index of the best candidate among those of the mask, judged by a scorer of the search."""
    candidates = np.flatnonzero(mask)
    return candidates[np.argmax(results[f"mean_test_{judge}"][candidates])]


def regression():
    """Diabetes with spoilt targets: which loss does cross-validation pick, and is it right?"""
    X, y = load_diabetes(return_X_y=True)
    # alpha is in the unit of the loss: the square of that of y, or that of y.
    squares, values = np.logspace(-2, 1, 7), np.logspace(-4, -1, 7)
    grid = {"squared_error": squares, "huber": squares, "absolute_error": values, "log_cosh": values}
    scoring = {
        "MSE, spoilt": loss_scorer("squared_error"),
        "MAE, spoilt": loss_scorer("absolute_error"),
        "median error, spoilt": make_scorer(
            average_loss, greater_is_better=False, loss="absolute_error", aggregate="median"
        ),
        "MAE, true targets": make_scorer(true_absolute_error, greater_is_better=False),
    }
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LossRegressor()),
        [{"lossregressor__loss": [loss], "lossregressor__alpha": alphas} for loss, alphas in grid.items()],
        scoring=scoring,
        refit=False,
        cv=KFold(5, shuffle=True, random_state=0),
    ).fit(X, spoil(y))
    results = search.cv_results_
    losses = results["param_lossregressor__loss"]
    table = np.array([
        [
            -results[f"mean_test_{name}"][at_best(results, losses == loss, "MAE, spoilt")]
            for name in scoring
        ]
        for loss in grid
    ])  # fmt: skip
    print_table(
        f"Diabetes, {SPOILT:g} added to 10 % of the targets: losses, lower is better, * marks the best.\n"
        "Each training loss is shown at the alpha of the lowest MAE on the spoilt folds.",
        list(grid), list(scoring), table, [".0f", ".1f", ".1f", ".1f"],
    )  # fmt: skip
    print()
    for judge in list(scoring)[:3]:
        picked = at_best(results, np.ones(len(losses), bool), judge)
        error = -results["mean_test_MAE, true targets"][picked]
        alpha = results["param_lossregressor__alpha"][picked]
        print(f"Judged by {judge}, the search picks {losses[picked]} (alpha={alpha:.2g}): "
              f"off by {error:.0f} on the true targets.")  # fmt: skip
    return list(grid), table


def binary():
    """Breast cancer: the loss that is judged need not be the loss that is trained."""
    X, y = load_breast_cancer(return_X_y=True)
    losses, scoring = ["log_loss", "hinge", "squared_hinge"], {
        "error rate (1 - accuracy)": "accuracy",
        "log loss": loss_scorer("log_loss"),
        "hinge loss": loss_scorer("hinge"),
    }  # fmt: skip
    table = np.full((len(losses), len(scoring)), np.nan)
    for i, loss in enumerate(losses):
        model = make_pipeline(StandardScaler(), LossClassifier(loss))
        # The hinge loss has no probability, so it cannot be judged by the log loss.
        able = {k: v for k, v in scoring.items() if k != "log loss" or hasattr(model, "predict_proba")}
        search = GridSearchCV(
            model,
            {"lossclassifier__alpha": np.logspace(-4, 0, 5)},
            scoring=able,
            refit=False,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
        ).fit(X, y)
        for j, name in enumerate(scoring):
            if name in able:
                score = search.cv_results_[f"mean_test_{name}"].max()
                table[i, j] = 1 - score if name == "error rate (1 - accuracy)" else -score
    print_table(
        "Breast cancer: losses, lower is better, * marks the best; each cell at its best alpha.",
        losses, list(scoring), table, [".4f"] * 3,
    )  # fmt: skip


def softmax():
    """Digits: ten classes in one problem."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    model = make_pipeline(StandardScaler(), LossClassifier("log_loss", alpha=0.01)).fit(X_train, y_train)
    fitted = model[-1]
    print(f"\nDigits, softmax regression: accuracy {model.score(X_test, y_test):.3f}, "
          f"log loss {average_loss(y_test, model.predict_proba(X_test), loss='log_loss'):.3f} on held-out rows;\n"
          f"{fitted.coef_.size + fitted.intercept_.size} coefficients, {fitted.n_iter_} iterations of "
          f"{fitted.solution_.solver}.\nCertificate: {fitted.solution_.certificate}.")  # fmt: skip


def draw(losses, table):
    """Two yardsticks side by side: what MSE on the spoilt folds sees, and the truth."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    titles = ["what the search sees: MSE on spoilt folds", "the truth: MAE on the true targets"]
    for axis, column, title in zip(axes, (table[:, 0], table[:, -1]), titles, strict=True):
        best = np.argmin(column)
        label = "{:,.0f}" if column.max() > 1e4 else "{:.1f}"
        bars = axis.barh(losses, column, color=["#0b6e4f" if i == best else "#b8c4bb" for i in range(len(losses))])
        axis.bar_label(bars, [label.format(value) for value in column], padding=3)
        axis.set_title(title, fontsize=11)
        axis.set_xlim(0, 1.18 * column.max())
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    axes[0].set_ylabel("trained with")
    figure.supxlabel("lower is better; green: the loss that the yardstick picks", fontsize=10)
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=120, metadata={"Software": None})
    plt.close(figure)
    print(f"\nSaved {IMAGE.relative_to(Path(__file__).parent.parent)}.")


if __name__ == "__main__":
    losses, table = regression()
    binary()
    softmax()
    draw(losses, table)
