"""Five handwritten digits in a row, read column by column: which digits there are is known, but not where they stand.

Run: python examples/sequences.py
It prints the error rate on digits left out by the number of digits trained on, and saves
examples/images/sequences.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklloss import LossClassifier
from sklloss.displays import COLORS
from sklloss.losses import CTC, decode, label_error_rate

IMAGE = Path(__file__).parent / "images" / "sequences.png"
BLANK, AROUND = -1, 3  # the label of no digit, and how many columns to either side a frame sees
DIGITS = load_digits()


def strip(digits):
    """Images side by side, (8, n_frames)."""
    return np.hstack(DIGITS.images[digits]) / 16


def frames(sequences):
    """Columns with those around them, their labels, and of which sequence they are."""
    X, y = [], []
    for digits in sequences:
        padded = np.pad(strip(digits), ((0, 0), (AROUND, AROUND)))
        X += [padded[:, t : t + 2 * AROUND + 1].ravel() for t in range(8 * len(digits))]
        # The labels stand in the first frames: their order is all that counts.
        y += [*DIGITS.target[digits], *[BLANK] * (7 * len(digits))]
    return np.array(X), np.array(y), np.repeat(np.arange(len(sequences)), 8 * sequences.shape[1])


rng = np.random.default_rng(0)
sequences = rng.permutation(1795).reshape(-1, 5)
X_test, y_test, ids_test = frames(sequences[-100:])
guess = y_test.copy()
guess[y_test != BLANK] = rng.permutation(y_test[y_test != BLANK])
chance = label_error_rate(y_test, guess, ids_test, BLANK)
print(f"label error rate of guesses: {chance:.3f}")
sizes, rates = np.array([4, 10, 20, 40, 100, 200]), []
for size in sizes:
    X, y, ids = frames(sequences[:size])
    model = LossClassifier(CTC(BLANK), alpha=1e-2).fit(X, y, sample_set=ids)
    rates.append(label_error_rate(y_test, model.predict(X_test), ids_test, BLANK))
    print(f"trained on {5 * size:4} digits in {size:3} sequences: {rates[-1]:.3f}")

figure = plt.figure(figsize=(10, 3.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.4])
axis = left.subplots()
axis.semilogx(5 * sizes, rates, "o-", color=COLORS[0])
axis.axhline(chance, color=COLORS[1], linestyle="--")
axis.text(5 * sizes[-1], chance + 0.02, "guesses", color=COLORS[1], horizontalalignment="right")
axis.set(xlabel="digits trained on", ylabel="label error rate, digits left out", ylim=(0, 1))
axis.spines[["top", "right"]].set_visible(False)
above, below = right.subplots(2, sharex=True)
first = ids_test == 0
(read,) = decode(model.predict(X_test[first]), ids_test[first], BLANK)
above.imshow(strip(sequences[-100]), cmap="Greys", aspect="auto")
above.set(xticks=[], yticks=[], title=f"left out, and read as {' '.join(map(str, read))}")
below.imshow(model.predict_proba(X_test[first]).T, cmap="Blues", aspect="auto")
below.set(xlabel="frame", ylabel="probability of", yticks=range(11), yticklabels=["blank", *range(10)])
below.tick_params(axis="y", labelsize=7)
figure.savefig(IMAGE, dpi=100, metadata={"Software": None})
