"""A region of one pixel in 50, the heart of a flower: trained for the log loss, and for the overlap.

Run: python examples/segmentation.py
It trains on the left halves of two photographs, prints scores on their right halves, and saves
examples/images/segmentation.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage
from sklearn.datasets import load_sample_images
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, average_loss
from sklloss.displays import COLORS

IMAGE = Path(__file__).parent / "images" / "segmentation.png"
ROW, COLUMN = np.mgrid[:427, :640]
MIDDLE = 308  # of the flower; what is left of it is trained on
SHOWN = slice(130, 315), slice(215, 400)


def features(photo):
    """Of each pixel its colour, the mean colour around it, and how much the light changes there."""
    colour = photo / 255
    around = ndimage.gaussian_filter(colour, (2, 2, 0))
    return np.dstack([colour, around, ndimage.gaussian_gradient_magnitude(colour.mean(axis=2), 2)])


def pixels(side):
    """Rows of features and labels of a side of both photographs."""
    X = np.concatenate([features(photo)[side] for photo in photos])
    return X, np.concatenate([region[side] for region in regions])


def overlap(y, labels):
    return 1 - average_loss(y, labels.astype(float), loss="dice")


photos = load_sample_images().images  # a temple, where there is nothing to find, and a flower
regions = np.zeros(COLUMN.shape, bool), np.hypot(ROW - 222, COLUMN - MIDDLE) < 42
(X, y), (X_test, y_test) = pixels(COLUMN < MIDDLE), pixels(COLUMN >= MIDDLE)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), layout="constrained")
axes[0].set_title(f"the heart of the flower:\n{regions[1].mean():.1%} of the photograph")
axes[0].imshow(photos[1][SHOWN])
for axis, loss, color in zip(axes[1:], ("log_loss", "dice"), COLORS, strict=False):
    model = make_pipeline(StandardScaler(), LossClassifier(loss, alpha=1e-5)).fit(X[::4], y[::4])
    seen, p = (model.predict_proba(rows)[:, 1] for rows in (X, X_test))
    cut = max(np.arange(1, 20) / 20, key=lambda cut: overlap(y, seen > cut))
    dice, log_loss = overlap(y_test, p > 0.5), average_loss(y_test, p, loss="log_loss")
    print(
        f"trained for {loss:>8}: Dice {dice:.3f}, log loss {log_loss:.4f}; with the threshold {cut:.2f}, which is best "
        f"on the training pixels, Dice {overlap(y_test, p > cut):.3f}"
    )
    mask = model.predict(features(photos[1]).reshape(COLUMN.size, -1)).reshape(COLUMN.shape)
    axis.imshow(np.where(mask[:, :, None], photos[1], photos[1] // 4)[SHOWN])
    axis.set_title(f"found by {loss}:\nDice {dice:.2f}, log loss {log_loss:.3f}", color=color)
for axis in axes:
    axis.contour(regions[1][SHOWN], [0.5], colors="white", linewidths=1)
    axis.axvline(MIDDLE - SHOWN[1].start, color="white", linestyle=":")
    axis.set_axis_off()
axes[0].text(88, 180, "trained on", color="white", horizontalalignment="right")
axes[0].text(98, 180, "tested on", color="white")
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
