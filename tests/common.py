"""What several test files need."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklloss import LossClassifier, LossRegressor, get_loss, list_losses

OURS = [name for name in list_losses() if type(get_loss(name)).__module__.startswith("sklloss.")]
REGRESSION = [name for name in list_losses("regression", elementwise=True) if name in OURS]
CLASSIFICATION = [name for name in list_losses("classification", elementwise=True) if name in OURS]
SETS = [name for name in list_losses(elementwise=False) if name in OURS]


def regression_data(n=80, d=4, seed=0, positive=False, zero=True):
    """X, y with a known linear signal and heavy tails; counts where positive, with zeros or from 1 on."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    signal = X @ np.linspace(1, -1, d)
    if positive:
        return X, rng.poisson(np.exp(0.4 * signal)).astype(float) + (not zero)
    return X, signal + rng.standard_t(2.5, n)


def classification_data(n=90, d=4, n_classes=2, seed=0):
    """X, y with classes that overlap."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    score = X[:, :n_classes] + rng.gumbel(size=(n, n_classes))
    return X, score.argmax(axis=1)


def data_for(name, **options):
    """Data of the kind of a loss."""
    loss = get_loss(name)
    if loss.response_method != "predict":
        return classification_data(**options)
    return regression_data(positive=loss.positive_only, zero=name in ("poisson", "tweedie"), **options)


def estimator_for(name, **params):
    """The estimator of the kind of a loss."""
    return (LossRegressor if get_loss(name).response_method == "predict" else LossClassifier)(name, **params)


@contextmanager
def does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        yield
