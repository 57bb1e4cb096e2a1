"""The log-mel map of HiFi-GAN, and the loss of its generator.

A frame of n_fft samples is weighted by a Hann window; of its Fourier transform the magnitudes, sqrt(abs**2 + 1e-9), are
added up by triangles in frequency, and of the sums, at least 1e-5, the logarithm is taken.  Each step has a derivative,
and the slopes come back in turn: through the logarithm, the triangles, the magnitudes, the adjoint of the Fourier
transform, the window, and the reflection at both ends of the signal.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from .._compat import Interval, check_parameters
from ._adversarial import LSGAN
from ._compose import LossSum
from ._feature_maps import NetworkLayers, _is_network
from ._features import FeatureLoss
from ._maps import soft_relu, soft_relu_slope
from ._residual import AbsoluteError

__all__ = ["MelSpectrogram", "hifigan_generator", "mel_spectrogram"]

FLOOR = 1e-5  # of the energy in a band, below which there is silence
ROUND = 1e-9  # added to squared magnitudes, whose root would have a kink at 0


class MelSpectrogram(BaseEstimator):
    """The map of `mel_spectrogram`: a feature map, with ``transform`` and ``vjp``; see there.

    Parameters
    ----------
    sample_rate, n_fft, hop_length, n_mels, fmin, fmax
        As in `mel_spectrogram`.
    rounding : float >= 0, default=0.0
        Width, in units of the floor, over which its kink is rounded off.
    """

    smooth = property(lambda self: self.rounding > 0)  # the floor is a kink
    _parameter_constraints = {
        "sample_rate": [Interval(Real, 0, None, closed="neither")],
        "n_fft": [Interval(Integral, 4, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "rounding": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, sample_rate, n_fft, hop_length, n_mels, fmin, fmax, rounding=0.0):
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.rounding = rounding

    def check(self):
        """Raise a ValueError that names the first parameter out of its range; return self."""
        check_parameters(self._parameter_constraints, self.get_params(), type(self).__name__)
        top = self.sample_rate / 2
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length={self.hop_length} must be at most n_fft={self.n_fft}: no sample is skipped.")
        if not self.fmin < self._fmax <= top:
            raise ValueError(
                f"fmin={self.fmin} and fmax={self.fmax} must satisfy fmin < fmax <= sample_rate / 2 = {top:g} (the "
                "highest frequency in such a signal)."
            )
        empty = np.flatnonzero(~self.bands().any(axis=1))
        if len(empty):
            raise ValueError(
                f"n_mels={self.n_mels} is too many: band {empty[0]} lies between two of the frequencies of n_fft="
                f"{self.n_fft}, {self.sample_rate / self.n_fft:.4g} Hz apart. Take fewer bands, or a larger n_fft."
            )
        return self

    @property
    def _fmax(self):
        return self.sample_rate / 2 if self.fmax is None else self.fmax

    def bands(self):
        """Weights of the frequencies in each band, (n_mels, n_fft // 2 + 1): triangles of area 1, in 2 / Hz."""
        frequency = np.arange(self.n_fft // 2 + 1) * (self.sample_rate / self.n_fft)
        edges = hertz(np.linspace(mel(self.fmin), mel(self._fmax), self.n_mels + 2))
        low, middle, high = (edges[k : k + self.n_mels, None] for k in range(3))
        rise, fall = (frequency - low) / (middle - low), (high - frequency) / (high - middle)
        return np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)

    def transform(self, rows):
        """Logarithms of the energy by band and frame, (n, n_mels * n_frames), a band after the other."""
        return self._features(self._energy(rows)[-1])

    def vjp(self, rows, slopes):
        """Slopes by the features times the Jacobian at each row, like rows."""
        return self._back(slopes, self._energy(rows), rows.shape[1])

    def pull(self, rows):
        """Features, and the function that takes slopes by them to slopes by the rows, at the price of one of them."""
        found = self._energy(rows)
        return self._features(found[-1]), lambda slopes: self._back(slopes, found, rows.shape[1])

    def _back(self, slopes, found, length):
        spectrum, magnitude, energy = found
        slopes = slopes.reshape(energy.shape)
        if self.rounding:
            above = energy / FLOOR - 1
            inner = slopes * soft_relu_slope(above, self.rounding) / (FLOOR * (1 + soft_relu(above, self.rounding)))
        else:
            inner = np.where(energy > FLOOR, slopes / np.maximum(energy, FLOOR), 0)
        by_magnitude = inner.transpose(0, 2, 1) @ self.bands()
        # The adjoint of a real Fourier transform is, up to a factor, its inverse in which each frequency counts once.
        twice = np.arange(spectrum.shape[2])[1 : (self.n_fft + 1) // 2]
        by_spectrum = by_magnitude * spectrum / magnitude
        by_spectrum[:, :, twice] /= 2
        frames = np.fft.irfft(by_spectrum, self.n_fft, axis=2) * (self.n_fft * _hann(self.n_fft))
        return self._from_frames(frames, length)

    def _features(self, energy):
        if self.rounding:
            energy = FLOOR * (1 + soft_relu(energy / FLOOR - 1, self.rounding))
        return np.log(np.maximum(energy, FLOOR)).reshape(len(energy), -1)

    def _energy(self, rows):
        """Spectrum and magnitudes, (n, n_frames, n_frequencies), and the energy in each band, (n, n_mels, n_frames)."""
        rows = np.asarray(rows, dtype=np.float64)
        spectrum = np.fft.rfft(self._frames(rows) * _hann(self.n_fft), axis=2)
        magnitude = np.sqrt(spectrum.real**2 + spectrum.imag**2 + ROUND)
        return spectrum, magnitude, (magnitude @ self.bands().T).transpose(0, 2, 1)

    def _places(self, length):
        """Sample of the signal that stands at each place of each frame, (n_frames, n_fft), reflected at the ends."""
        beside = (self.n_fft - self.hop_length) // 2
        if length <= beside or length + 2 * beside < self.n_fft:
            least = max(beside + 1, self.n_fft - 2 * beside)
            raise ValueError(
                f"A signal must have at least {least} samples for n_fft={self.n_fft} and hop_length={self.hop_length}; "
                f"rows have {length}. Each row must be a signal: take longer ones, or a smaller n_fft."
            )
        padded = np.pad(np.arange(length), beside, mode="reflect")
        return np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_length]

    def _frames(self, rows):
        return rows[:, self._places(rows.shape[1])]

    def _from_frames(self, frames, length):
        """Sum of the frames over the samples that they were taken from."""
        places, n = self._places(length).ravel(), len(frames)
        index = (np.arange(n)[:, None] * length + places).ravel()
        return np.bincount(index, frames.ravel(), n * length).reshape(n, length)

    def smoothed(self, width):
        """The map with its floor rounded off."""
        return MelSpectrogram(**self.get_params() | {"rounding": min(float(width), 1.0)})


def mel_spectrogram(sample_rate=22050, n_fft=1024, hop_length=256, n_mels=80, fmin=0.0, fmax=8000.0):
    """The log-mel spectrogram of HiFi-GAN, a feature map for `FeatureLoss`; the defaults are those of its V1.

    With S the discrete Fourier transform of frames of n_fft samples under a periodic Hann window, hop_length apart, of
    the signal reflected by (n_fft - hop_length) / 2 samples at both ends::

        features = log(max(1e-5, bands @ sqrt(abs(S)**2 + 1e-9)))

    The bands are triangles of area 1, equally wide on Slaney's mel scale, which is linear up to 1000 Hz and logarithmic
    from there on.  A row of outputs is a signal in [-1, 1]; it has len // hop_length frames where hop_length divides it
    and n_fft - hop_length is even.  The mel loss is ``FeatureLoss(AbsoluteError(), mel_spectrogram(...))``.

    Parameters
    ----------
    sample_rate : float > 0, default=22050
        Samples in a second.
    n_fft : int >= 4, default=1024
        Samples in a frame.
    hop_length : int >= 1, default=256
        Samples from one frame to the next.
    n_mels : int >= 1, default=80
        Number of bands.
    fmin, fmax : float, default=0.0 and 8000.0
        Where the bands begin and end, in Hz; None for fmax is half the sample rate, as HiFi-GAN trains.

    Returns
    -------
    MelSpectrogram

    References
    ----------
    J. Kong, J. Kim, J. Bae, "HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech
    Synthesis", NeurIPS 2020, arXiv:2010.05646; https://github.com/jik876/hifi-gan, meldataset.py.
    M. Slaney, "Auditory Toolbox", Interval Research Corporation, 1998.

    Examples
    --------
    >>> mel = mel_spectrogram(8000, 64, 16, 8, 0.0, 4000.0)
    >>> tone = np.sin(2 * np.pi * 1000 / 8000 * np.arange(128))
    >>> features = mel.transform(tone[None]).reshape(8, 8)  # bands, frames
    >>> int(features[:, 4].argmax()), features[3, 4].round(3)
    (3, np.float64(-2.58))
    """
    return MelSpectrogram(sample_rate, n_fft, hop_length, n_mels, fmin, fmax).check()


def hifigan_generator(critic, mel=None, *, matching=2.0, mel_weight=45.0):
    """The loss of HiFi-GAN's generator: what its critics say, what they see, and what is heard.

    ::

        LSGAN of the critics' outputs, with the target 1
          + 2 * absolute error of all of their layers, output included (feature matching)
          + 45 * absolute error of the log-mel spectrogram

    each a mean over the features of a layer, summed over layers and critics.

    Parameters
    ----------
    critic : fitted MLPRegressor or MLPClassifier of two classes, Pipeline that ends in one, or list of them
        Trained to tell real signals, 1, from others, 0.
    mel : object, default=None
        A feature map of signals; None for ``mel_spectrogram(fmax=None)``.
    matching, mel_weight : float >= 0, default=2.0 and 45.0
        Weights of feature matching and of the mel loss.

    Returns
    -------
    LossSum

    References
    ----------
    J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020, arXiv:2010.05646, eq. 5-7; models.py and train.py of
    https://github.com/jik876/hifi-gan.
    """
    critics = list(critic) if isinstance(critic, list | tuple) else [critic]
    for each in critics:
        if not _is_network(each):
            raise TypeError(
                f"critic={each!r} must be a fitted MLPRegressor or MLPClassifier, a Pipeline that ends in one, or a "
                "list of these: feature matching looks at the layers of a network."
            )
    layers = [NetworkLayers(each, list(range(_n_layers(each)))) for each in critics]
    mel = mel_spectrogram(fmax=None) if mel is None else mel
    parts = [
        (1.0, FeatureLoss(LSGAN(), critics, target=1.0)),
        (matching, FeatureLoss(AbsoluteError(), layers)),
        (mel_weight, FeatureLoss(AbsoluteError(), mel)),
    ]
    return LossSum([part for _, part in parts], [weight for weight, _ in parts]).check()


def _n_layers(network):
    last = network[-1] if hasattr(network, "steps") else network
    return len(getattr(last, "coefs_", [0]))  # of an unfitted one the loss says so


def mel(frequency):
    """Slaney's mel scale: 3 / 200 of the frequency up to 1000 Hz, from there 27 steps for each factor of 6.4."""
    frequency = np.asarray(frequency, dtype=float)
    return np.where(
        frequency < 1000, 0.015 * frequency, 15 + 27 * np.log(np.maximum(frequency, 1000) / 1000) / np.log(6.4)
    )


def hertz(mel):
    """Inverse of `mel`."""
    return np.where(mel < 15, mel / 0.015, 1000 * np.exp(np.log(6.4) / 27 * (np.maximum(mel, 15) - 15)))


def _hann(n):
    """The periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
