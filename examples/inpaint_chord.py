"""A chord with noise and a gap, filled in by samples, and by how it sounds.

Run: python examples/inpaint_chord.py
It trains linear models on 200 moments of a synthetic chord, judges them on 200 others by the signal-to-noise ratio and
by the distance of the log-mel spectrograms, and saves examples/images/inpaint_chord.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sklloss import LossRegressor, average_loss
from sklloss.displays import COLORS
from sklloss.losses import AbsoluteError, FeatureLoss, SmoothL1, SquaredError, mel_spectrogram

IMAGE = Path(__file__).parent / "images" / "inpaint_chord.png"
RATE, LENGTH, GAP = 8000, 128, slice(48, 80)
TIME = np.arange(LENGTH) / RATE

rng = np.random.default_rng(0)
chord = np.zeros((400, LENGTH))
for note in (220.0, 277.18, 329.63):  # A, C sharp, E, and seven overtones of each, at phases of their own
    for overtone in range(1, 9):
        phase, loudness = rng.uniform(0, 2 * np.pi, (400, 1)), rng.uniform(0.05, 0.1, (400, 1))
        chord += loudness / overtone**2 * np.sin(2 * np.pi * overtone * note * TIME + phase)
heard = chord + 0.05 * rng.normal(size=chord.shape)
heard[:, GAP] = 0
train, test = np.arange(400) % 2 == 1, np.arange(400) % 2 == 0

mel = mel_spectrogram(RATE, n_fft=64, hop_length=32, n_mels=16, fmin=0.0, fmax=RATE / 2)
# The mel loss, rounded off near 0, and squares of the samples, by which the model learns where a wave begins.
losses = {
    "squared": SquaredError(),
    "squared + mel": SquaredError() + 0.03 * FeatureLoss(SmoothL1(0.1), mel),
}
filled = {}
for name, loss in losses.items():
    model = make_pipeline(PCA(32), LossRegressor(loss, alpha=1e-4, tol=2e-2)).fit(heard[train], chord[train])
    filled[name] = model.predict(heard[test])
    power, error = (chord[test] ** 2).mean(), ((filled[name] - chord[test]) ** 2).mean()
    distance = average_loss(chord[test], filled[name], loss=FeatureLoss(AbsoluteError(), mel))
    print(f"{name:>13}: signal to noise {10 * np.log10(power / error):5.2f} dB, mel distance {distance:.3f}")
    print(f"{'':>13}  {model[-1].solution_.certificate}")


def spectrum(signals):
    """Mean level of each band in decibels."""
    return 20 / np.log(10) * mel.transform(signals).reshape(len(signals), mel.n_mels, -1).mean(axis=(0, 2))


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.axvspan(1e3 * TIME[GAP.start], 1e3 * TIME[GAP.stop], color="0.92")
known = np.delete(np.arange(LENGTH), GAP)
left.plot(1e3 * TIME[known], heard[test][0, known], ".", color="0.7", markersize=9, label="heard")
right.plot(spectrum(chord[test]), color="0.5", linewidth=4, label="the chord")
left.plot(1e3 * TIME, chord[test][0], color="0.5", linewidth=4)
for (name, signals), color in zip(filled.items(), COLORS, strict=False):
    left.plot(1e3 * TIME, signals[0], color=color)
    right.plot(spectrum(signals), color=color, label=name)
left.set(xlabel="milliseconds", title="a moment of the chord, with a gap")
right.set(xlabel="band, from low to high", ylabel="level in decibels", title="how it sounds: the mean level by band")
left.legend(frameon=False)
right.legend(frameon=False)
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
