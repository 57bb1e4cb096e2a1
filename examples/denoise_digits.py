"""Digits out of noise: by pixels, or by what a network sees in them.

Run: python examples/denoise_digits.py
It trains linear de-noisers on half of the digits, judges them on the other half by PSNR and by the accuracy of a
classifier that knows clean digits only, and saves examples/images/denoise_digits.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from sklloss import LossRegressor
from sklloss.displays import COLORS
from sklloss.losses import Charbonnier, FeatureLoss, SquaredError, psnr

IMAGE = Path(__file__).parent / "images" / "denoise_digits.png"
NOISE, DRAWS = 0.5, 5  # its standard deviation, white being 1, and how often it falls on each digit

clean, label = load_digits(return_X_y=True)
clean = clean / 16
train = np.arange(len(clean)) % 2 == 0
rng = np.random.default_rng(0)
target = np.tile(clean[train], (DRAWS, 1))
noisy = target + NOISE * rng.normal(size=target.shape)
unseen, truth = clean[~train], label[~train]
noisy_unseen = unseen + NOISE * rng.normal(size=unseen.shape)

network = MLPClassifier((100, 50), activation="tanh", alpha=1e-2, max_iter=500, random_state=0)
network.fit(clean[train], label[train])
print(f"the classifier, on clean digits: accuracy {network.score(unseen, truth):.3f}")

# What the hidden layers see of a digit, and a tenth of what the eye does, to which some pixels matter and no layer.
perceptual = FeatureLoss(SquaredError(), network) + 0.1 * SquaredError()
models = {
    "squared": LossRegressor(SquaredError(), alpha=1e-2),
    "Charbonnier": LossRegressor(Charbonnier(0.1), alpha=1e-2),
    "perceptual": LossRegressor(perceptual, alpha=1e-3, tol=1e-3),
}
shown = {"clean": unseen, "noisy": noisy_unseen}
for name, model in models.items():
    shown[name] = model.fit(noisy, target).predict(noisy_unseen)
seen = {name: network.predict(images) for name, images in shown.items()}
for name, images in list(shown.items())[1:]:
    decibels, accuracy = psnr(unseen, images, data_range=1.0), np.mean(seen[name] == truth)
    print(f"{name:>11}: PSNR {decibels:5.2f} dB, accuracy {accuracy:.3f}")
print(f"the perceptual fit is {models['perceptual'].solution_.certificate}")

# Digits that one of the two saves and the other doesn't, in the proportion in which there are such.
saved = np.flatnonzero((seen["perceptual"] == truth) & (seen["squared"] != truth) & (seen["clean"] == truth))
lost = np.flatnonzero((seen["perceptual"] != truth) & (seen["squared"] == truth) & (seen["clean"] == truth))
n_lost = round(10 * len(lost) / (len(lost) + len(saved)))
print(f"read right by way of perceptual alone: {len(saved)}; of squared alone: {len(lost)}")
columns = np.append(saved[: 10 - n_lost], lost[:n_lost])

figure, axes = plt.subplots(len(shown), len(columns), figsize=(9, 5), layout="constrained")
for row, (name, images) in zip(axes, shown.items(), strict=True):
    for axis, i in zip(row, columns, strict=True):
        axis.imshow(images[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
        right = seen[name][i] == truth[i]
        axis.set_xlabel(f"{seen[name][i]}", color=COLORS[0] if right else COLORS[1], labelpad=1)
        axis.spines[:].set_visible(False)
    accuracy = np.mean(seen[name] == truth)
    row[0].set_ylabel(f"{name}\n{accuracy:.0%} right", rotation=0, ha="right", va="center")
figure.suptitle("Digits, and what the classifier reads: of those whose reading differs, a fair share")
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
