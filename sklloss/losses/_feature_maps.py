"""Feature maps: what a `FeatureLoss` looks at instead of the numbers themselves.

`read_map` makes a `Map` of what a user has.  A transformer of scikit-learn that is linear is read off at zero and at
the unit vectors, and held against itself at other points; so PCA, a scaler, a choice of columns and a pipeline of them
need no code of their own.  Of a fitted network the layers are taken as they are; what stands before it in a pipeline is
linear and comes first.  Any other object is asked for its ``transform`` and ``vjp``.
"""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._maps import Affine, Chain, Given, Network, Several, as_features, wave

__all__ = ["FeatureMap", "NetworkLayers", "read_map"]

ROWS = 3  # at which a transformer is held against what was read off it


# ------------------------------------------------------------------------------------------------ what a user writes
class FeatureMap(BaseEstimator):
    """A transformer, or a function, with the derivative that a `FeatureLoss` needs.

    Parameters
    ----------
    transform : transformer or callable
        Rows (n, n_outputs) to features (n, n_features), each row by itself; of a `FunctionTransformer` and its like
        the method ``transform``.
    adjoint : callable, default=None
        Of a linear map (plus a constant): slopes by the features (n, n_features) to slopes by the rows (n, n_outputs),
        ``slopes @ J`` for a map ``rows @ J.T + constant``.
    vjp : callable, default=None
        Of any other map, the same, ``vjp(rows, slopes)``: the slopes times the Jacobian at each row.
    smooth : bool, default=True
        Whether the Jacobian is continuous.

    Examples
    --------
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> def differences(rows):
    ...     return np.diff(rows, axis=1)
    >>> def adjoint(slopes):
    ...     return -np.diff(slopes, axis=1, prepend=0.0, append=0.0)
    >>> edges = FeatureMap(FunctionTransformer(differences), adjoint=adjoint)
    >>> edges.transform(np.array([[1.0, 2.0, 4.0]])), edges.vjp(np.zeros((1, 3)), np.array([[1.0, 2.0]]))
    (array([[1., 2.]]), array([[-1., -1.,  2.]]))
    """

    def __init__(self, transform, *, adjoint=None, vjp=None, smooth=True):
        self.transform = transform
        self.adjoint = adjoint
        self.vjp = vjp
        self.smooth = smooth

    # Parameters by the names of the methods: what is set is what the user gave, what is read is the method.
    @property
    def transform(self):
        return getattr(self._transform, "transform", self._transform)

    @transform.setter
    def transform(self, given):
        self._transform = given

    @property
    def vjp(self):
        return self._vjp if self.adjoint is None else self._by_adjoint

    @vjp.setter
    def vjp(self, given):
        self._vjp = given

    def _by_adjoint(self, rows, slopes):
        return self.adjoint(slopes)

    @property
    def linear(self):
        return self.adjoint is not None

    def get_params(self, deep=True):
        return super().get_params(deep=False) | {"transform": self._transform, "vjp": self._vjp}

    def check(self):
        """Raise a ValueError unless there is a transform and exactly one derivative; return self."""
        if not callable(self.transform) or (self.adjoint is None) == (self._vjp is None):
            raise ValueError(
                "FeatureMap takes a transform, a transformer or a function, and one of adjoint (of a linear map) and "
                f"vjp; got transform={self._transform!r}, adjoint={self.adjoint!r}, vjp={self._vjp!r}."
            )
        return self


class NetworkLayers(BaseEstimator):
    """Chosen layers of a fitted neural network, each a feature map of its own.

    Parameters
    ----------
    network : MLPClassifier, MLPRegressor, or a Pipeline that ends in one
        What stands before it in the pipeline must be linear.
    layers : list of int, default=None
        0 is the first hidden layer; the one after the last hidden layer is the output, in a regressor what it
        predicts, in a classifier of two classes the probability of the second.  None is all hidden layers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> network = MLPClassifier((32, 16), solver="lbfgs", max_iter=20, tol=1.0, random_state=0).fit(X, y)
    >>> [features.shape for features in read_map(NetworkLayers(network, [1])).features(X[:5])]
    [(5, 16)]
    """

    def __init__(self, network, layers=None):
        self.network = network
        self.layers = layers


# ------------------------------------------------------------------------------------------------------- reading it off
def read_map(given, output=False):
    """The `Map` of a transformer, a network, a list, or anything with ``transform`` and ``vjp``.

    Parameters
    ----------
    given : object
    output : bool
        Of a network, its output instead of its hidden layers: what a critic says, not how it comes to say it.
    """
    if isinstance(given, list | tuple):
        if not given:
            raise ValueError("feature_map is an empty list; it must hold at least one map.")
        return Several([read_map(each, output) for each in given])
    if isinstance(given, FrozenEstimator):
        return read_map(given.estimator, output)
    if isinstance(given, type):
        raise TypeError(f"feature_map={given.__name__} is a class; pass a fitted instance of it.")
    if isinstance(given, NetworkLayers):
        return _network(given.network, given.layers, output)
    if hasattr(given, "vjp"):
        return Given(given.check() if isinstance(given, FeatureMap) else given)
    if _is_network(given):
        return _network(given, None, output)
    if hasattr(given, "transform"):
        return _read_off(given)
    if isinstance(given, Pipeline) or hasattr(given, "decision_function") or hasattr(given, "predict"):
        return _linear_model(given)
    raise TypeError(
        f"feature_map={given!r} must be a fitted linear transformer (PCA), a fitted MLPClassifier or MLPRegressor, an "
        "object with transform(rows) and vjp(rows, slopes), such as FeatureMap(function, adjoint=...), or a list of "
        "these."
    )


def _is_network(given):
    last = given[-1] if isinstance(given, Pipeline) else given
    return hasattr(last, "hidden_layer_sizes") and hasattr(last, "activation")


def _fitted(given):
    try:
        check_is_fitted(given)
    except (NotFittedError, TypeError):
        raise ValueError(f"feature_map={given!r} is not fitted: a feature map is fixed, so fit it before.") from None
    return given


def _network(given, layers, output):
    """The layers of a network, after what stands before it in a pipeline."""
    if not _is_network(given):
        raise TypeError(f"network={given!r} must be an MLPClassifier, an MLPRegressor or a Pipeline that ends in one.")
    network = _fitted(given[-1] if isinstance(given, Pipeline) else given)
    n_layers = len(network.coefs_)
    if layers is None:
        layers = [n_layers - 1] if output else range(n_layers - 1)
    wrong = [index for index in layers if index not in range(n_layers)]
    if wrong or not len(layers):
        raise ValueError(
            f"layers={list(layers)} must be layers of {network!r}, 0 to {n_layers - 1}, the last of them its output."
        )
    if n_layers - 1 in layers and network.out_activation_ == "softmax":
        raise ValueError(f"The output of {network!r} is several probabilities; take its hidden layers, or a regressor.")
    found = Network(network, list(layers))
    return Chain(_read_off(given[:-1]), found) if isinstance(given, Pipeline) and len(given) > 1 else found


def _linear_model(given):
    """What a linear model says of a row, before any probability."""
    model = _fitted(given[-1] if isinstance(given, Pipeline) else given)
    if not hasattr(model, "coef_"):
        raise TypeError(f"feature_map={given!r} is a model that is not linear, and it has no vjp(rows, slopes).")
    coef = model.coef_.toarray() if sparse.issparse(model.coef_) else np.asarray(model.coef_)
    found = Affine(np.atleast_2d(coef).astype(np.float64), np.atleast_1d(np.asarray(model.intercept_, dtype=float)))
    return Chain(_read_off(given[:-1]), found) if isinstance(given, Pipeline) and len(given) > 1 else found


def _read_off(given):
    """The matrix of a transformer that is linear, by what it makes of 0 and of the unit vectors."""
    _fitted(given)
    n = getattr(given, "n_features_in_", None)
    if n is None:
        raise ValueError(f"feature_map={given!r} does not say how long its rows are (n_features_in_); fit it before.")
    names = getattr(given, "feature_names_in_", None)

    def transform(rows):
        if names is not None:
            import pandas as pd  # there are names because a data frame was fitted

            return as_features(given.transform(pd.DataFrame(rows, columns=names)), rows, given)
        return as_features(given.transform(rows), rows, given)

    constant = transform(np.zeros((1, n)))[0]
    size = 2.0 ** np.ceil(np.log2(max(1.0, np.abs(constant).max(initial=0.0))))  # a unit that no constant drowns
    J = (transform(size * np.eye(n)) - constant).T / size
    probes = size * wave((ROWS, n), 0.4)
    expected, found = probes @ J.T + constant, transform(probes)
    if not np.allclose(found, expected, rtol=1e-7, atol=1e-7 * np.abs(expected).max()):
        raise ValueError(
            f"feature_map={given!r} is not linear: of a mixture of rows it does not make the mixture of their "
            "features. Give its derivative, FeatureMap(transformer, vjp=...), or use a linear map such as PCA."
        )
    return Affine(J, constant)
