"""Time of the CTC loss with its gradient, beside PyTorch's ctc_loss on the CPU where PyTorch is installed.

Run: python examples/benchmarks/ctc.py [n_sequences n_frames n_classes]

Both take raw predictions in float64 and give the sum over sequences and its gradient, softmax included; the largest
difference of the two stands beside the times.  Median of the repeats, in one process; PyTorch on one thread, which is
all that ours takes, and on all.
"""

import os
import statistics
import sys
import time

import numpy as np

from sklloss.losses import CTC

try:
    import torch
except ImportError:
    torch = None

REPEATS = 15
THREADS = torch.get_num_threads() if torch else 1


def milliseconds(evaluate):
    evaluate()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        evaluate()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def problem(n_sequences, n_frames, n_classes, n_symbols):
    """Raw predictions (n_sequences, n_frames, n_classes), and labels for each sequence."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(n_sequences, n_frames, n_classes))
    return raw, rng.integers(1, n_classes, (n_sequences, n_symbols))


def ours(raw, target):
    """A function of no arguments that returns value and gradient of the sum over sequences."""
    N, T, K = raw.shape
    y = np.zeros((N, T), dtype=int)
    y[:, : target.shape[1]] = target
    arguments = y.ravel(), raw.reshape(-1, K), np.ones(N * T), np.repeat(np.arange(N), T)

    def evaluate():
        value, gradient = CTC().value_gradient(*arguments)
        return N * value, N * gradient.reshape(raw.shape)

    return evaluate


def theirs(raw, target):
    """The same by PyTorch."""
    N, T, _ = raw.shape
    frames_first = torch.from_numpy(np.moveaxis(raw, 0, 1).copy()).requires_grad_()
    labels, lengths = torch.from_numpy(target), (torch.full((N,), T), torch.full((N,), target.shape[1]))

    def evaluate():
        frames_first.grad = None
        log_p = torch.nn.functional.log_softmax(frames_first, dim=-1)
        value = torch.nn.functional.ctc_loss(log_p, labels, *lengths, reduction="sum")
        value.backward()
        return value.item(), np.moveaxis(frames_first.grad.numpy(), 0, 1)

    return evaluate


def main(n_sequences=100, n_frames=200, n_classes=30):
    print(f"{n_sequences} sequences x {n_frames} frames x {n_classes} classes in float64, {os.cpu_count()} cores")
    for n_symbols in (n_frames // 20, n_frames // 10, n_frames // 4):
        data = problem(n_sequences, n_frames, n_classes, n_symbols)
        line = f"{n_symbols:4} labels each: sklloss {milliseconds(ours(*data)):6.1f} ms"
        if torch is None:
            print(f"{line}, not compared with PyTorch, which is not installed")
            continue
        for threads in sorted({1, THREADS}):
            torch.set_num_threads(threads)
            line += f", PyTorch {milliseconds(theirs(*data)):6.1f} ms on {threads} thread{'s' * (threads > 1)}"
        (value, gradient), (their_value, their_gradient) = ours(*data)(), theirs(*data)()
        apart = f"{abs(value / their_value - 1):.0e} (value, relative), {np.abs(gradient - their_gradient).max():.0e}"
        print(f"{line}; apart by {apart} (gradient)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
