"""Boxes around what is in a picture: four coordinates at once, one training box in eight drawn around something else.

Run: python examples/boxes.py
It trains on the boxes with three losses, prints the overlap (IoU) with the true boxes of other pictures, and saves
examples/images/boxes.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from sklloss import LossRegressor
from sklloss.displays import COLORS

IMAGE = Path(__file__).parent / "images" / "boxes.png"
SIDE, WILD = 32, 1 / 8


def pictures(n, rng):
    """Pictures of a bright rectangle in noise, (n, SIDE, SIDE), and its left, top, right and lower edges, (n, 4)."""
    middle, half = rng.uniform(9, 23, (n, 2)), rng.uniform(3, 8, (n, 2))
    boxes, at = np.hstack([middle - half, middle + half]), np.arange(SIDE) + 0.5
    across, down = ((boxes[:, [i]] < at) & (at < boxes[:, [i + 2]]) for i in (0, 1))
    return down[:, :, None] * across[:, None, :] + rng.normal(scale=0.2, size=(n, SIDE, SIDE)), boxes


def features(pictures):
    """How much of the light is left of each column, and above each row."""
    profiles = np.hstack([pictures.mean(axis=axis).cumsum(axis=1) for axis in (1, 2)])
    return profiles / profiles[:, [SIDE - 1]]


def overlap(boxes, others):
    """Intersection over union."""
    low, high = np.maximum(boxes[:, :2], others[:, :2]), np.minimum(boxes[:, 2:], others[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    return both / (sum(np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (boxes, others)) - both)


rng = np.random.default_rng(0)
seen, true = pictures(600, rng)
drawn, wild = true.copy(), rng.random(len(true)) < WILD
corner = rng.uniform(22, 28, (wild.sum(), 2))  # there is something else in the lower right
drawn[wild] = np.hstack([corner, corner + rng.uniform(2, 4, (wild.sum(), 2))])
other, truth = pictures(600, rng)

found = {}
for loss in ("squared_error", "smooth_l1", "balanced_l1"):
    model = LossRegressor(loss, alpha=1e-4).fit(features(seen), drawn)
    found[loss] = model.predict(features(other))
    iou, gap = overlap(found[loss], truth), model.solution_.gap
    print(f"{loss:>13}: IoU {iou.mean():.3f}; above 0.7 in {np.mean(iou > 0.7):.0%} of the pictures; gap {gap:.0e}")
clean = LossRegressor(alpha=1e-4).fit(features(seen[~wild]), drawn[~wild]).predict(features(other))
print(f"without the wild boxes squared_error has IoU {overlap(clean, truth).mean():.3f}")

STYLES = {"squared_error": (COLORS[0], "-"), "smooth_l1": (COLORS[1], "-"), "balanced_l1": (COLORS[2], "--")}
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), layout="constrained", width_ratios=[1, 1, 1, 1.3])
for axis, i in zip(axes, range(3), strict=False):
    axis.imshow(other[i], cmap="gray", extent=(0, SIDE, SIDE, 0))
    boxes = [(truth[i], ("white", ":")), *((found[loss][i], style) for loss, style in STYLES.items())]
    for box, (color, line) in boxes:
        frame = Rectangle(box[:2], *(box[2:] - box[:2]), fill=False, color=color, linestyle=line, linewidth=2)
        axis.add_patch(frame)
    axis.set_axis_off()
for loss, (color, line) in STYLES.items():
    iou = np.sort(overlap(found[loss], truth))
    axes[3].plot(iou, np.linspace(1, 0, len(iou)), line, color=color, label=f"{loss}: {iou.mean():.2f}")
axes[3].set(xlabel="overlap (IoU)", ylabel="part of the pictures above", title="mean overlap", xlim=(0, 1))
axes[3].legend(frameon=False, fontsize=8, loc="lower left")
axes[3].spines[["top", "right"]].set_visible(False)
figure.suptitle("true boxes, dotted, and those of three losses")
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
