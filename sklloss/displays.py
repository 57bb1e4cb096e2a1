"""Pictures, as scikit-learn's displays: made by ``from_...``, drawn anew by ``plot``; matplotlib is imported inside."""

from itertools import cycle
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from ._sums import distinct
from .losses._base import get_loss
from .metrics import loss_scorers

__all__ = ["CoefficientPathDisplay", "LossComparisonDisplay", "LossDisplay", "ResidualWeightDisplay", "TrainingDisplay"]

# Of Okabe and Ito, who chose them for eyes of every kind; their yellow is too faint on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
FLOOR = 1e-16  # where rounding ends what a logarithmic axis can show


class LossDisplay:
    """Losses, or their derivatives, against the residual or the margin.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Residuals or margins.
    curves : dict of str to ndarray of shape (n_points,)
        By label of the loss.
    kinks : dict of str to ndarray
        Where each loss bends.
    x_label, y_label : str

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D

    Examples
    --------
    >>> from sklloss.displays import LossDisplay
    >>> display = LossDisplay.from_losses(["squared_error", "huber", "absolute_error"], quantity="gradient")
    >>> display.ax_.get_ylabel()
    'derivative of the loss by the residual'
    """

    def __init__(self, x, curves, kinks, *, x_label, y_label):
        self.x = x
        self.curves = curves
        self.kinks = kinks
        self.x_label = x_label
        self.y_label = y_label

    @classmethod
    def from_losses(cls, losses, *, quantity="loss", limits=(-3.0, 3.0), y_true=1.0, ax=None, **kwargs):
        """Draw losses of one kind, regression or classification.

        Parameters
        ----------
        losses : str, Loss or callable, or list of these, or dict of these by label
        quantity : {"loss", "gradient", "hessian", "weight"}, default="loss"
            The loss, its first or second derivative by the residual or margin, or the weight of a row in iteratively
            reweighted least squares, the derivative over the residual.
        limits : pair of float, default=(-3, 3)
            Least and largest residual or margin.
        y_true : float, default=1.0
            The target of a regression loss, for those that depend on more than the residual.
        ax : matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.plot``.

        Returns
        -------
        LossDisplay
        """
        if not isinstance(losses, dict):
            losses = losses if isinstance(losses, list | tuple) else [losses]
            losses = dict(zip(loss_scorers(*losses), losses, strict=True))
        losses = {label: get_loss(loss).check() for label, loss in losses.items()}
        regression = {loss.response_method == "predict" for loss in losses.values()}
        if len(regression) != 1:
            raise ValueError(f"losses must be of regression, or of classification, at least one; got {list(losses)}.")
        if quantity not in _QUANTITIES:
            raise ValueError(f"quantity must be one of {list(_QUANTITIES)}, got {quantity!r}.")
        (regression,) = regression
        for loss in losses.values():
            if regression and loss.coupled:
                raise ValueError(f"{loss!r} is a loss of rows of outputs: there is no curve of a single residual.")
            if loss.levels is not None:
                raise ValueError(
                    f"{loss!r} is a loss of several levels, each with a curve of its own; pass them apart."
                )
        label, evaluate = _QUANTITIES[quantity]
        target = np.full(1, y_true if regression else 1.0)
        kinks = {name: _kinks(loss, target, regression, limits) for name, loss in losses.items()}
        bends = np.concatenate(list(kinks.values()))
        step = 1e-9 * (limits[1] - limits[0])  # the curves are drawn up to both sides of a kink
        x = np.unique(np.concatenate([np.linspace(limits[0], limits[1], 801), bends - step, bends, bends + step]))
        curves = {}
        for name, loss in losses.items():
            centre = loss.raw(target) if regression else 0.0
            values = evaluate(loss, np.repeat(target, len(x)), centre - x if regression else x)
            if quantity == "gradient" and regression:
                values = -values
            curves[name] = np.where(np.isin(x, kinks[name]), np.nan, values) if quantity != "loss" else values
        plain = all(loss.link.name == "identity" for loss in losses.values())
        by = "residual" if regression else "margin"
        x_label = {
            "margin": "margin:  decision value of the true class",
            "residual": "residual:  y_true - raw_prediction"
            if plain
            else f"residual:  link(y_true) - raw_prediction,  at y_true = {y_true:g}",
        }[by]
        display = cls(x, curves, kinks, x_label=x_label, y_label=label.format(by=by))
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curves, a dot at each kink.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.plot``.

        Returns
        -------
        self
        """
        self.figure_, self.ax_ = _axes(ax, (7.2, 3.8))
        self.lines_ = []
        for (label, values), look in zip(self.curves.items(), _looks(), strict=False):
            (line,) = self.ax_.plot(self.x, values, label=label, **{"linewidth": 2, **look, **kwargs})
            self.lines_.append(line)
            for kink in self.kinks[label]:
                at = self.x.searchsorted(kink) + np.array([-1, 1])  # both ends of a jump
                self.ax_.plot(self.x[at], values[at], "o", color=line.get_color(), markersize=5, zorder=3)
        self.ax_.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        self.ax_.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        self.ax_.set(xlabel=self.x_label, ylabel=self.y_label, xlim=(self.x[0], self.x[-1]))
        _legend(self.ax_)
        return self


class LossComparisonDisplay:
    """The matrix of a comparison of losses: trained with by judged by.

    Parameters
    ----------
    comparison : LossComparison
        What `sklloss.compare_losses` returned.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import compare_losses
    >>> X, y = load_diabetes(return_X_y=True)
    >>> comparison = compare_losses(X[:90], y[:90], ["mse", "mae"], param_grid={"alpha": [0.01]}, cv=3)
    >>> comparison.plot().ax_.get_ylabel()
    'trained with'
    """

    def __init__(self, comparison):
        self.comparison = comparison

    @classmethod
    def from_comparison(cls, comparison, *, kind="heatmap", ax=None, **kwargs):
        """Draw a comparison.

        Parameters
        ----------
        comparison : LossComparison
        kind : {"heatmap", "whiskers"}, default="heatmap"
            "heatmap": every cell, its colour by how much worse it is than the best of its column.  "whiskers": the same
            differences, paired by fold, with their standard errors; without the Dummy.
        ax : matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.imshow`` or ``Axes.errorbar``.

        Returns
        -------
        LossComparisonDisplay
        """
        return cls(comparison).plot(ax, kind=kind, **kwargs)

    def plot(self, ax=None, *, kind="heatmap", **kwargs):
        """Draw the comparison; see `from_comparison`.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        kind : {"heatmap", "whiskers"}, default="heatmap"
        **kwargs : dict

        Returns
        -------
        self
        """
        if kind not in ("heatmap", "whiskers"):
            raise ValueError(f"kind must be 'heatmap' or 'whiskers', got {kind!r}.")
        rows, columns = self.comparison.matrix().shape
        size = (2.9 + 1.35 * columns, 1.5 + 0.5 * rows) if kind == "heatmap" else (7.2, 1.4 + 0.5 * rows)
        self.figure_, self.ax_ = _axes(ax, size)
        (self._heatmap if kind == "heatmap" else self._whiskers)(**kwargs)
        return self

    def _excess(self, name):
        """A column of the results in percent of the best mean of its metric."""
        mean, best = self.comparison.matrix(), self.comparison.matrix("verdict") == "best"
        size = np.abs(np.where(best, mean, 0).sum(axis=0))
        return 100 * self.comparison.matrix(name) / np.where(size > 0, size, np.nan)

    def _heatmap(self, **kwargs):
        comparison, excess = self.comparison, self._excess("difference")
        top = max(1.0, np.nanmax(excess[:-1], initial=0.0))  # the Dummy would leave no colours for the others
        image = self.ax_.imshow(excess, **{"cmap": "Blues", "vmin": 0, "vmax": 1.25 * top, "aspect": "auto", **kwargs})
        image.set_cmap(image.cmap.with_extremes(bad="0.93"))
        verdict = comparison.matrix("verdict")
        texts = zip(comparison.formatted(), comparison.formatted("se_test"), strict=True)
        for i, (means, errors) in enumerate(texts):
            for j, (mean, error) in enumerate(zip(means, errors, strict=True)):
                mark = " ~" if verdict[i, j] == "undecided" else ""
                dark = np.isfinite(excess[i, j]) and image.norm(excess[i, j]) > 0.55
                self.ax_.text(
                    j, i, f"{mean}{mark}\n± {error}" if mean != "-" else "not scored", ha="center", va="center",
                    fontsize=9, color="white" if dark else "black",
                    fontweight="bold" if verdict[i, j] == "best" else "normal",
                )  # fmt: skip
        note = "bold: best of its column;  ~ these folds can't tell it from the best"
        self.ax_.text(0, -0.02, note, transform=self.ax_.transAxes, ha="left", va="top", fontsize=9, color="0.3")
        self.ax_.set_xticks(range(len(comparison.metrics_)), comparison.metrics_)
        self.ax_.set_yticks(range(len(comparison.candidates_)), comparison.candidates_)
        self.ax_.xaxis.set_ticks_position("top")
        self.ax_.xaxis.set_label_position("top")
        self.ax_.xaxis.labelpad = 8
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        self.ax_.set(xlabel="judged by", ylabel="trained with")
        bar = self.figure_.colorbar(
            image, ax=self.ax_, extend="max" if np.nanmax(excess) > image.norm.vmax else "neither", pad=0.02
        )
        bar.set_label("worse than the best\nof the column (%)", fontsize=9)
        bar.outline.set_visible(False)

    def _whiskers(self, **kwargs):
        comparison = self.comparison
        names, difference, error = (
            comparison.candidates_[:-1],
            self._excess("difference"),
            self._excess("se_difference"),
        )
        shift = 0.6 * (np.arange(len(comparison.metrics_)) + 0.5) / len(comparison.metrics_) - 0.3
        for j, (metric, look) in enumerate(zip(comparison.metrics_, _looks(MARKERS), strict=False)):
            self.ax_.errorbar(
                difference[:-1, j], np.arange(len(names)) + shift[j], xerr=error[:-1, j], label=metric,
                **{"linestyle": "none", "capsize": 3, "markersize": 6, **look, **kwargs},
            )  # fmt: skip
        self.ax_.axvline(0, color="0.6", linewidth=0.8, zorder=0)
        self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set_ylim(len(names) - 0.5, -0.5)
        self.ax_.grid(axis="x", color="0.92")
        self.ax_.set(xlabel="worse than the best of its metric (%),  ± standard error", ylabel="trained with")
        _legend(self.ax_, title="judged by")


class ResidualWeightDisplay:
    """Which rows a robust fit distrusts: residuals, coloured by the weight that the loss gave them.

    Parameters
    ----------
    y_pred, residual, weight : ndarray of shape (n_samples,)
        The weight is that of iteratively reweighted least squares, 1 at a residual of 0.
    names : array-like of shape (n_samples,)
        What the rows are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import LossRegressor
    >>> from sklloss.displays import ResidualWeightDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> display = ResidualWeightDisplay.from_estimator(LossRegressor("tukey").fit(X, y), X, y)
    >>> display.weight.shape
    (442,)
    """

    def __init__(self, y_pred, residual, weight, names):
        self.y_pred = y_pred
        self.residual = residual
        self.weight = weight
        self.names = names

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_named=5, ax=None, **kwargs):
        """Draw the residuals of a fitted model.

        Parameters
        ----------
        estimator : LossRegressor, or Pipeline that ends in one
            Fitted, with a loss of the residual that pulls less than squared_error, such as huber or tukey.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        n_named : int, default=5
            How many rows of least weight are named, by the index of a data frame or by number.
        ax : matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.scatter``.

        Returns
        -------
        ResidualWeightDisplay
        """
        model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        loss = model.loss_.scaled(model.scale_)
        y_true, y_pred = np.asarray(y, dtype=float), estimator.predict(X)
        weight = _weight(loss, y_true, y_pred) / _weight(loss, y_true[:1], y_true[:1])
        names = X.index if hasattr(X, "iloc") else np.arange(len(y_true))
        return cls(y_pred, y_true - y_pred, weight, np.asarray(names)).plot(ax, n_named=n_named, **kwargs)

    def plot(self, ax=None, *, n_named=5, **kwargs):
        """Draw the residuals; see `from_estimator`.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        n_named : int, default=5
        **kwargs : dict

        Returns
        -------
        self
        """
        self.figure_, self.ax_ = _axes(ax, (7.2, 3.8))
        look = {"cmap": "cividis", "vmin": 0, "vmax": 1, "s": 18 + 40 * (1 - self.weight), "edgecolors": "0.3"}
        points = self.ax_.scatter(self.y_pred, self.residual, c=self.weight, **{"linewidths": 0.4, **look, **kwargs})
        for row in np.lexsort((-np.abs(self.residual), self.weight))[:n_named]:
            if self.weight[row] < 1:
                at = (self.y_pred[row], self.residual[row])
                self.ax_.annotate(str(self.names[row]), at, (5, 4), textcoords="offset points", fontsize=8)
        self.ax_.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        self.ax_.set(xlabel="prediction (unit of y)", ylabel="residual:  y_true - y_pred")
        bar = self.figure_.colorbar(points, ax=self.ax_, pad=0.02)
        bar.set_label("weight of the row in the fit")
        _bare(self.ax_)
        return self


class TrainingDisplay:
    """How fits went: objective and optimality at each iteration.

    Parameters
    ----------
    histories : dict of str to list of (float, float)
        Objective and optimality at each iteration, by label of the fit.  What is below 1e-16, rounding, is drawn there.

    Attributes
    ----------
    ax_ : ndarray of shape (2,) of matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import LossRegressor
    >>> from sklloss.displays import TrainingDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = [LossRegressor("huber").fit(X, y), LossRegressor("huber", alpha=1.0).fit(X, y)]
    >>> list(TrainingDisplay.from_estimators(models).histories)
    ['huber', 'huber_2']
    """

    def __init__(self, histories):
        self.histories = histories

    @classmethod
    def from_estimators(cls, estimators, *, ax=None, **kwargs):
        """Draw the training of fitted models.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimators
            `LossRegressor` or `LossClassifier`, or pipelines that end in one; in a list they are called by their loss,
            and a second of a name gets ``_2``.
        ax : pair of matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.plot``.

        Returns
        -------
        TrainingDisplay
        """
        named = isinstance(estimators, dict)
        fitted = estimators.values() if named else estimators
        models = [each[-1] if isinstance(each, Pipeline) else each for each in fitted]
        labels = estimators if named else distinct(model.loss_.label for model in models)
        histories = {label: model.solution_.history for label, model in zip(labels, models, strict=True)}
        return cls(histories).plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the histories.

        Parameters
        ----------
        ax : pair of matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.plot``.

        Returns
        -------
        self
        """
        self.figure_, self.ax_ = _axes(ax, (8.4, 3.6), ncols=2)
        labels = "objective above its last value, relative", "optimality, which tol bounds"
        for (label, history), look in zip(self.histories.items(), _looks(MARKERS), strict=False):
            value, optimality = np.array(history).T
            above = np.abs(value - value[-1]) / max(abs(value[-1]), FLOOR)
            for axis, values in zip(self.ax_, (above, optimality), strict=True):
                steps = np.arange(1, len(values) + 1)
                axis.plot(steps, np.maximum(values, FLOOR), label=label, **{"markersize": 4, **look, **kwargs})
        for axis, label in zip(self.ax_, labels, strict=True):
            axis.set(yscale="log", xlabel="iteration", ylabel=label, ylim=(0.3 * FLOOR, None))
            axis.xaxis.get_major_locator().set_params(integer=True)
            _bare(axis)
        _legend(self.ax_[1])
        return self


class CoefficientPathDisplay:
    """Coefficients against the strength of the penalty.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.
    coef : ndarray of shape (n_alphas, n_features)
    names : array-like of shape (n_features,)
        What the features are called.
    alpha : float, default=None
        The chosen strength.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import LossRegressorCV
    >>> from sklloss.displays import CoefficientPathDisplay
    >>> model = LossRegressorCV("absolute_error", "l1").fit(*load_diabetes(return_X_y=True))
    >>> len(CoefficientPathDisplay.from_estimator(model).lines_)
    10
    """

    def __init__(self, alphas, coef, names, alpha=None):
        self.alphas = alphas
        self.coef = coef
        self.names = names
        self.alpha = alpha

    @classmethod
    def from_estimator(cls, estimator, *, output=0, n_named=8, ax=None, **kwargs):
        """Draw the path of a fitted `LossRegressorCV` or `LossClassifierCV`, with the alpha that it chose.

        Parameters
        ----------
        estimator : LossRegressorCV or LossClassifierCV, or Pipeline that ends in one
            In a pipeline the features are called as those that reach the model.
        output : int, default=0
            Which output, level or class, where there are several.
        n_named : int, default=8
            How many features get a colour and a name, those that are largest at the smallest alpha.
        ax : matplotlib Axes, default=None
            None: a new figure.
        **kwargs : dict
            Arguments of matplotlib's ``Axes.plot``.

        Returns
        -------
        CoefficientPathDisplay
        """
        model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        names = getattr(model, "feature_names_in_", None)
        if names is None and model is not estimator and len(estimator) > 1:
            try:
                names = estimator[:-1].get_feature_names_out()
            except (AttributeError, ValueError):  # a step that names nothing
                names = None
        alphas, coef, names = _path(model.path_, output, names)
        return cls(alphas, coef, names, model.alpha_).plot(ax, n_named=n_named, **kwargs)

    @classmethod
    def from_path(cls, path, *, output=0, n_named=8, ax=None, **kwargs):
        """Draw a path.

        Parameters
        ----------
        path : LossPath
            What `sklloss.loss_path` returned.
        output, n_named, ax, **kwargs
            As in `from_estimator`.

        Returns
        -------
        CoefficientPathDisplay
        """
        return cls(*_path(path, output, path.feature_names)).plot(ax, n_named=n_named, **kwargs)

    def plot(self, ax=None, *, n_named=8, **kwargs):
        """Draw a line for each feature; see `from_estimator`.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        n_named : int, default=8
        **kwargs : dict

        Returns
        -------
        self
        """
        self.figure_, self.ax_ = _axes(ax, (7.2, 3.8))
        self.lines_ = []
        order = np.argsort(-np.abs(self.coef[-1]), kind="stable")
        looks = _looks()
        for rank, feature in enumerate(order):
            named = rank < n_named
            look: dict[str, Any] = (
                {"linewidth": 1.8, "zorder": 3, **next(looks)} if named else {"color": "0.75", "linewidth": 1.0}
            )
            label = {"label": str(self.names[feature])} if named else {}
            self.lines_ += self.ax_.plot(self.alphas, self.coef[:, feature], **{**look, **label, **kwargs})
        self.ax_.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        if self.alpha is not None:
            self.ax_.axvline(self.alpha, color="0.4", linewidth=1.0, linestyle=":")
            self.ax_.annotate(
                "chosen", (self.alpha, 1.0), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="center", fontsize=9, color="0.4",
            )  # fmt: skip
        positive = self.alphas[self.alphas > 0]
        if len(positive) > 1:
            if len(positive) == len(self.alphas):
                self.ax_.set_xscale("log")
            else:  # down to an alpha of 0
                self.ax_.set_xscale("symlog", linthresh=positive.min())
            self.ax_.invert_xaxis()
        self.ax_.set(xlabel="alpha, the strength of the penalty", ylabel="coefficient")
        _legend(self.ax_)
        return self


# ------------------------------------------------------------------------------------------------------- helpers
def _path(path, output, names):
    """Alphas, coefficients of one output, and names of the features of a path."""
    coef = path.coef if path.coef.ndim == 2 else path.coef[:, output]
    return path.alphas, coef, [f"x{j}" for j in range(coef.shape[1])] if names is None else names


def _slope(loss, y_true, raw):
    return loss.gradient(y_true, raw)


def _curvature(loss, y_true, raw):
    if not loss.has_curvature:
        raise ValueError(f"{loss!r} defines no second derivative.")
    return loss.hessian_product(y_true, raw, np.ones_like(raw), np.ones_like(raw))


def _weight(loss, y_true, raw):
    if not hasattr(loss, "majorizer"):
        raise ValueError(
            f"{loss!r} gives rows no weights: that is for losses of the residual which pull less than in proportion "
            "and have no kink, such as huber and tukey."
        )
    return loss.majorizer(y_true, raw)


_QUANTITIES = {
    "loss": ("loss", lambda loss, y_true, raw: loss.loss(y_true, raw)),
    "gradient": ("derivative of the loss by the {by}", _slope),
    "hessian": ("second derivative of the loss by the {by}", _curvature),
    "weight": ("weight of a row:  derivative / residual", _weight),
}


def _kinks(loss, target, regression, limits):
    """Residuals or margins within the limits where a loss bends."""
    if loss.truncated is not None:
        base, cap = loss.truncated
        x = np.linspace(limits[0], limits[1], 100_001)
        below = base.loss(np.repeat(target, len(x)), base.raw(target) - x if regression else x) - cap
        left = np.flatnonzero((below[:-1] < 0) != (below[1:] < 0))
        capped = x[left] + (x[1] - x[0]) * below[left] / (below[left] - below[left + 1])
        bends = _kinks(base, target, regression, limits)
        return np.union1d(capped, bends[np.interp(bends, x, below) < 0])
    kinks = loss.kinks(target)
    if kinks is None:
        return np.array([])
    at = kinks.at[kinks.low < kinks.high]
    at = loss.raw(target) - at if regression else at
    return np.unique(at[(at > limits[0]) & (at < limits[1])])


def _axes(ax, size, ncols=1):
    """Figure and axes: those that are given, or new ones."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install matplotlib.") from error
    if ax is None:
        return plt.subplots(1, ncols, figsize=size, layout="constrained")
    return (ax if ncols == 1 else ax[0]).figure, ax


def _looks(markers=None):
    """Colours with line styles or markers, so that colour is never all that tells curves apart."""
    pairs = zip(cycle(COLORS), cycle(markers or STYLES), strict=False)
    return ({"color": color, ("marker" if markers else "linestyle"): second} for color, second in pairs)


def _legend(ax, title=None):
    ax.legend(title=title, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _bare(ax)


def _bare(ax):
    ax.spines[["top", "right"]].set_visible(False)
