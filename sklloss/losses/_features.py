"""Losses of what a map makes of a row of outputs: perceptual loss, feature matching, a critic.

The gradient comes back through the map: with F = map(raw_prediction) and T = map(y_true), of base the slopes by F are
taken, and the map turns them into slopes by the raw prediction.  The outputs of a row are then one problem.  Where map
and base are linear and convex, so is the whole, and it has a curvature, J' diag(base'') J.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from ._base import Loss, _column, best_row
from ._derived import SmoothedKinks, has_soft_kinks
from ._feature_maps import FeatureMap, NetworkLayers, read_map

__all__ = ["FeatureLoss", "FeatureMap", "NetworkLayers"]

REMEMBERED = 64  # blocks of rows, of which the features of the targets are kept


class FeatureLoss(Loss):
    """A loss between the features of the prediction and those of the target, instead of between the numbers.

    With F = feature_map(raw_prediction) and T = feature_map(y_true), rows of several outputs each::

        loss = mean_j base(T_j, F_j)

    and for a list of maps, or the layers of a network, the sum of that over maps.  Of the hidden layers of a network
    and squared_error this is the perceptual loss, of those of a critic and absolute_error it is feature matching.
    With a ``target`` the map is of the prediction only::

        loss = mean_j base(target, F_j)

    as where a critic says how real a prediction looks: ``FeatureLoss(LSGAN(), critic, target=1.0)``.

    Domain: y_true (n, n_outputs) real.  Link: identity.  Unit: that of base for the features.
    Facts: with a linear map those of base; else not known to be convex.  The outputs of a row are one problem, or, by a
    linear map with orthogonal features (PCA, a scaler) and an l2 penalty, each feature is one, fitted exactly.  Its
    average is the loss as it is fitted, not a mean over outputs.

    Parameters
    ----------
    base : Loss
        A loss of each number, such as SquaredError() or Huber(); its constants are in units of the features.
    feature_map : transformer, network, object or list
        A fitted transformer that is linear (PCA, a scaler, a pipeline of these); a fitted MLPClassifier or
        MLPRegressor, alone or after linear steps in a pipeline, of which the hidden layers are taken (with a target,
        the output), others by `NetworkLayers`; a fitted linear model; an object with ``transform(rows)`` and
        ``vjp(rows, slopes)``, as `FeatureMap` makes one of functions; or a list of these.  It is fixed: copies of the
        loss share it, a search sets it as a whole, ``loss=[FeatureLoss(base, one), FeatureLoss(base, other)]``.
    target : float, default=None
        What the features of a prediction should be, whatever y_true is.

    References
    ----------
    J. Johnson, A. Alahi, L. Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016,
    arXiv:1603.08155.
    A. B. L. Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", ICML 2016, arXiv:1512.09300.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklloss.losses import SquaredError
    >>> y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> loss = FeatureLoss(SquaredError(), PCA(1).fit(y))
    >>> loss.loss(y, y + [[1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]).round(6) + 0.0
    array([2., 0., 0.])
    """

    use = "what its map sees of the outputs; an outlier counts as base says, in the features; unit of base"
    coupled = True

    def __init__(self, base, feature_map, target=None):
        self.base = base
        self.feature_map = feature_map
        self.target = target

    # -------------------------------------------------------------------- parameters, and the map that is read off once
    def __sklearn_clone__(self):
        # A map is given as it is fitted, as a number would be: to clone it would be to forget what it learned.
        return FeatureLoss(clone(self.base, safe=False), self.feature_map, self.target)

    def __getstate__(self):
        return {key: value for key, value in super().__getstate__().items() if key not in ("_read", "_seen")}

    def get_params(self, deep=True):
        params = super().get_params(deep=False)
        if deep and isinstance(self.base, Loss):
            params |= {f"base__{key}": value for key, value in self.base.get_params().items()}
        return params

    @property
    def map(self):
        """The `Map` that was made of feature_map."""
        read = vars(self).get("_read")
        if read is None or read[0] is not self.feature_map:
            read = self._read = self.feature_map, read_map(self.feature_map, output=self.target is not None)
        return read[1]

    def check(self):
        if not isinstance(self.base, Loss):
            raise ValueError(
                f"base of FeatureLoss must be a loss of numbers, such as SquaredError(); got {self.base!r}."
            )
        self.base.check()
        plain = self.base.elementwise and not self.base.coupled and self.base.link is Loss.link
        if not plain:
            raise ValueError(
                f"base of FeatureLoss must be a loss of each number by itself with an identity link; got {self.base!r}."
            )
        if self.target is None:
            if self.base.response_method != "predict":
                raise ValueError(
                    f"base={self.base!r} is a loss of labels, and the features of y_true are none; a critic needs the "
                    "label as target, FeatureLoss(base, critic, target=1.0)."
                )
        else:
            self.base.check_y_true(np.array([self.target], dtype=float))
        self.__dict__.pop("_read", None)  # what was read may have been fitted again since
        _ = self.map
        return self

    # ---------------------------------------------------------------------------------------------------------- facts
    convex = property(lambda self: bool(self.base.convex and self.map.linear))
    smooth = property(lambda self: bool(self.base.smooth and self.map.smooth))
    quadratic = property(lambda self: bool(self.base.quadratic and self.map.linear))
    definite = property(lambda self: bool(self.base.definite and self.map.linear))
    translates = property(lambda self: bool(self.target is None and self.map.linear and self.base.translates))
    has_curvature = property(lambda self: bool(self.map.linear and hasattr(self.base, "hessian")))
    n_outputs = property(lambda self: self.map.n_inputs)

    # ---------------------------------------------------------------------------------------------------- mathematics
    def _targets(self, y_true, features):
        """What the features are held against, a list like features."""
        if self.target is not None:
            return [np.full(layer.shape, float(self.target)) for layer in features]
        # A fit asks for those of the same rows again and again.
        map_, seen, key = self.map, self.__dict__.setdefault("_seen", {}), _rows(y_true).tobytes()
        found = seen.pop(key, None)
        if found is None or found[0] is not map_:
            found = map_, map_.features(_rows(y_true))
        seen[key] = found
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        return found[1]

    def loss(self, y_true, raw_prediction):
        features = self.map.features(_rows(raw_prediction))
        with np.errstate(over="ignore"):  # beyond float32, inf is the true value
            return self._values(self._targets(y_true, features), features).astype(raw_prediction.dtype, copy=False)

    def _values(self, targets, features):
        """Loss of each row, (n,)."""
        with np.errstate(over="ignore"):
            return sum(self.base.loss(t, f) / f.shape[1] for t, f in zip(targets, features, strict=True))

    def _slopes(self, targets, features):
        """Derivatives by the features."""
        return [self.base.gradient(t, f) / f.shape[1] for t, f in zip(targets, features, strict=True)]

    def gradient(self, y_true, raw_prediction):
        features, backward = self.map.pull(_rows(raw_prediction))
        slopes = self._slopes(self._targets(y_true, features), features)
        with np.errstate(over="ignore"):
            return backward(slopes).astype(raw_prediction.dtype, copy=False)

    def value_gradient(self, y_true, raw_prediction, weight):
        features, backward = self.map.pull(_rows(raw_prediction))
        targets = self._targets(y_true, features)
        value = float(weight @ self._values(targets, features))
        slopes = [_column(weight, slope) * slope for slope in self._slopes(targets, features)]
        with np.errstate(over="ignore"):
            return value, backward(slopes).astype(raw_prediction.dtype, copy=False)

    @available_if(lambda self: self.has_curvature)
    def hessian_product(self, y_true, raw_prediction, weight, direction):
        features, backward = self.map.pull(_rows(raw_prediction))
        moves = self.map.push(_rows(direction))
        slopes = [
            _column(weight, f) * self.base.hessian(t, f) / f.shape[1] * move
            for t, f, move in zip(self._targets(y_true, features), features, moves, strict=True)
        ]
        with np.errstate(over="ignore"):
            return backward(slopes).astype(raw_prediction.dtype, copy=False)

    def separated(self, y_true):
        """Each feature by itself, where the map is linear and no two features share a direction (PCA, a scaler)."""
        if not (self.convex and self.map.linear):
            return None
        y = _rows(y_true)
        constants = self.map.features(np.zeros_like(y[:1]))
        J = np.hstack([layer - constant for layer, constant in zip(
            self.map.features(np.eye(y.shape[1])), constants, strict=True)]).T  # fmt: skip
        gram = J @ J.T
        size = gram.diagonal()
        if not np.all(size > 0) or np.any(np.abs(gram - np.diag(size)) > 1e-12 * np.sqrt(np.outer(size, size))):
            return None
        targets = np.hstack(self._targets(y, constants if self.target is None else self.map.features(y)))
        share = np.concatenate([np.full(layer.shape[1], 1 / layer.shape[1]) for layer in constants])
        return Separated(self.base, J, np.hstack(constants)[0], targets, share)

    @available_if(lambda self: has_soft_kinks(self.base))
    def smoothed(self, width):
        """A smooth loss; of a linear map, above this one by at most ``width * excess(K)``."""
        return _Smoothed(self.base, self.feature_map, self.target, width)

    def excess(self, n_outputs):
        """The number of maps times that of kinks, an eighth of the window each."""
        layers = len(self.map.features(np.zeros((1, n_outputs))))
        return 0.0 if self.base.smooth else layers * len(self.base.relu) / 8

    # ------------------------------------------------------------------------------------------- the best constant row
    def fit_intercept_only(self, y_true, weight):
        """Best constant row, (n_outputs,); where the map is not linear, the best that is found."""
        y, share = _rows(y_true), weight / weight.sum()
        like = self.map.features(y)
        targets = self._targets(y, like)
        starts = [share @ y, np.median(y, axis=0)]
        if not self.map.linear:  # of signals the mean is silence, from which no slope leads away
            starts += list(y[weight > 0][:: -(-len(y) // 8)])
        if self.map.linear:
            # Where the map can make any features at all, each feature has a best constant of its own.
            best = np.concatenate([_best_features(self.base, t, weight) for t in targets])
            J = np.column_stack(
                [np.concatenate([part[0] for part in self.map.push(e[None])]) for e in np.eye(y.shape[1])]
            )
            now = np.concatenate([part[0] for part in self.map.features(starts[0][None])])
            row = starts[0] + linalg.lstsq(J, best - now)[0]
            if np.linalg.matrix_rank(J) == len(J):
                return row
            starts.append(row)
        if not (self.convex and has_soft_kinks(self.base)) or self.smooth:
            return best_row(self, y, weight, starts)
        # Of a convex loss with kinks, closer and closer from above.
        width = float(self.of_constant(y, starts[0], share)[0])
        for _ in range(16 if width else 0):
            starts.append(best_row(self.smoothed(width), y, weight, starts[-1:]))
            width /= 5
        return min(starts, key=lambda row: self.of_constant(y, row, share)[0])

    def of_constant(self, y_true, row, weight):
        layers, backward = self.map.pull(row[None])
        targets = self._targets(y_true, [np.broadcast_to(layer, (len(y_true), layer.shape[1])) for layer in layers])
        features = [np.broadcast_to(layer, t.shape) for layer, t in zip(layers, targets, strict=True)]
        slopes = [(weight @ slope)[None] for slope in self._slopes(targets, features)]
        return float(weight @ self._values(targets, features)), backward(slopes)[0]

    # --------------------------------------------------------------------------------------------------------- metric
    def check_y_true(self, y_true, fit=False):
        y_true = np.asarray(y_true)
        if y_true.ndim != 2 or self.n_outputs not in (None, y_true.shape[1]):
            expected = "n_outputs" if self.n_outputs is None else self.n_outputs
            raise ValueError(
                f"y_true must have the shape (n_samples, {expected}) for {self!r}, a row for what the map takes at "
                f"once, an image or a signal; it has shape {y_true.shape}."
            )
        super().check_y_true(y_true, fit)
        if fit:
            self.map.verify(_rows(y_true[:: max(1, len(y_true) // 3)][:3]))


@dataclass(frozen=True)
class Separated:
    """A loss of rows as a sum of losses of single numbers, which are orthogonal to one another.

    With f = J @ raw_prediction + constant the loss of a row is ``sum_j share_j * base(targets_j, f_j)``, J @ J.T is
    diagonal.  Squared norms are then kept: of all coefficients B with J @ B = C the smallest have the squared norm
    ``sum_j |C_j|**2 / |J_j|**2``.

    Parameters
    ----------
    base : Loss
    J : ndarray of shape (m, n_outputs)
    constant, share : ndarrays of shape (m,)
    targets : ndarray of shape (n, m)
    """

    base: Any
    J: np.ndarray
    constant: np.ndarray
    targets: np.ndarray
    share: np.ndarray

    @property
    def size(self):
        """Squared length of each row of J, (m,)."""
        return (self.J * self.J).sum(axis=1)

    def back(self, features):
        """The smallest rows of outputs whose features, without the constant, are these: (n_outputs, k) of (m, k)."""
        return (self.J / self.size[:, None]).T @ features


class _Smoothed(FeatureLoss):
    """A `FeatureLoss` whose kinks, those of base and of the map, are rounded off over a width."""

    def __init__(self, base, feature_map, target, width):
        super().__init__(base if base.smooth else SmoothedKinks(base, width), feature_map, target)
        self.width = width
        self.exact = base

    @property
    def map(self):
        read = vars(self).get("_read")
        if read is None:
            read = self._read = super().map.smoothed(self.width)
        return read


def _best_features(base, targets, weight):
    """Best constant of each feature, (m,)."""
    return np.array([base.fit_intercept_only(np.ascontiguousarray(column), weight) for column in targets.T])


def _rows(values):
    return np.asarray(values, dtype=np.float64)
