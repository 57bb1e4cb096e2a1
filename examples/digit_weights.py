"""What tells a digit from the others: a picture of the coefficients of each class, with and without total variation.

Run: python examples/digit_weights.py
It fits three softmax regressions to half of the digits, prints their accuracy on the other half, and saves
examples/images/digit_weights.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklloss import LossClassifier
from sklloss.penalties import TotalVariation

IMAGE = Path(__file__).parent / "images" / "digit_weights.png"
MODELS = {
    "l2": LossClassifier(alpha=1e-4),
    "total variation": LossClassifier(penalty=TotalVariation((8, 8)), alpha=1e-3),
    "isotropic": LossClassifier(penalty=TotalVariation((8, 8), isotropic=True), alpha=1e-3),
}

X, y = load_digits(return_X_y=True)
X = X / 16

figure, axes = plt.subplots(3, 10, figsize=(10, 3.6), layout="constrained")
for row, (name, model) in zip(axes, MODELS.items(), strict=True):
    accuracy = model.fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    edges = np.mean([TotalVariation((8, 8)).norms(64).operator @ picture != 0 for picture in model.coef_])
    print(
        f"{name:>15}: accuracy {accuracy:.3f}; {edges:.0%} of neighbouring pixels differ in their coefficients; "
        f"{model.n_iter_} iterations, gap {model.solution_.gap:.0e}"
    )
    for digit, (axis, picture) in enumerate(zip(row, model.coef_, strict=True)):
        largest = np.abs(picture).max()
        axis.imshow(picture.reshape(8, 8), cmap="RdBu_r", vmin=-largest, vmax=largest)
        axis.set(xticks=[], yticks=[], title=str(digit) if row is axes[0] else "")
    row[0].set_ylabel(f"{name}\naccuracy {accuracy:.3f}", fontsize=8)
figure.suptitle("pixels that speak for a digit, red, and against it, blue")
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
