"""The shapes of losses: what an error costs, and how hard it pulls.

Run: python examples/loss_shapes.py
It saves examples/images/loss_shapes.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from sklloss.displays import LossDisplay

REGRESSION = ["squared_error", "absolute_error", "huber", "tukey"]
CLASSIFICATION = ["log_loss", "hinge", "squared_hinge", "ramp"]

figure, axes = plt.subplots(2, 2, figsize=(9, 5.6), layout="constrained")
for row, losses, limits, top in ((0, REGRESSION, (-6, 6), 8), (1, CLASSIFICATION, (-3, 3), 6)):
    for axis, quantity in zip(axes[row], ("loss", "gradient"), strict=True):
        LossDisplay.from_losses(losses, quantity=quantity, limits=limits, ax=axis)
    axes[row, 0].set_ylim(-0.2, top)
    axes[row, 0].get_legend().remove()
    axes[row, 1].set(ylabel="derivative: how hard a row pulls", ylim=(-top / 2, 4 if row == 0 else 0.3))
figure.savefig(Path(__file__).parent / "images" / "loss_shapes.png", dpi=100, metadata={"Software": None})
