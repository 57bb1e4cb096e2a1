"""Imbalanced classes: one handwritten digit in ten is an 8.  Weigh the classes, change the loss, or move the threshold?

Run: python examples/imbalanced.py
It prints scores on digits left out, and saves examples/images/imbalanced.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, log_loss, precision_recall_curve, precision_score, recall_score
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier
from sklloss.displays import COLORS, MARKERS, STYLES

IMAGE = Path(__file__).parent / "images" / "imbalanced.png"


def classifier(loss="log_loss", **params):
    return make_pipeline(StandardScaler(), LossClassifier(loss, alpha=1e-3, **params))


X, y = load_digits(return_X_y=True)
y = y == 8
folds = StratifiedKFold(5, shuffle=True, random_state=0)
models = {
    "log_loss": classifier(),
    "log_loss, threshold tuned": TunedThresholdClassifierCV(classifier(), scoring="balanced_accuracy", cv=3),
    "log_loss, class_weight='balanced'": classifier(class_weight="balanced"),
    "focal": classifier("focal"),
}

figure, axis = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for (label, model), color, marker, style in zip(models.items(), COLORS, MARKERS, STYLES, strict=False):
    tuned = isinstance(model, TunedThresholdClassifierCV)
    if not tuned:  # a threshold changes no probability
        probability = cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1]
        found = probability > 0.5
        precision, recall, _ = precision_recall_curve(y, probability)
        axis.plot(recall, precision, style, color=color, linewidth=1.2)
    else:
        found = cross_val_predict(model, X, y, cv=folds)
    at = recall_score(y, found), precision_score(y, found)
    axis.plot(*at, marker, color=color, markersize=10, markeredgecolor="white", label=label, linestyle="none")
    print(
        f"{label:>34}: recall {at[0]:.2f}, precision {at[1]:.2f}, "
        f"average precision {average_precision_score(y, probability):.3f}, log loss {log_loss(y, probability):.3f}"
    )
axis.set(xlabel="recall: share of the 8s that are found", ylabel="precision: share of 8s among the found",
         xlim=(0.5, 1), ylim=(0.3, 1.01))  # fmt: skip
axis.legend(frameon=False, loc="lower left")
axis.spines[["top", "right"]].set_visible(False)
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
