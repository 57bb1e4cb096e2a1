"""Linear models that minimise any loss, in scikit-learn's clothes."""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from ._compat import (
    CallbackSupportMixin,
    FitTasks,
    Interval,
    StrOptions,
    check_parameters,
    check_sample_weight,
    one_blas_thread,
    users_level,
    with_callbacks,
)
from ._objective import LinearObjective
from ._scale import ScaledFit, check_joint
from .losses import LogLoss, Loss
from .losses._base import encode_classes, get_loss
from .penalties import L2, Penalty, get_penalty
from .solvers import Solution, Stopped, get_solver, solve_columns, together, without_crossing

__all__ = ["LossClassifier", "LossRegressor"]

SMALL_BLOCKS = 200  # columns up to which the threads of BLAS cost more than they save
FAR = 30.0  # a median this many spreads from 0 is subtracted from y, before digits are lost
UNDECLARED = (
    "Kinks are solved exactly where they are declared: in a subclass of ResidualLoss (or MarginLoss) write smooth = "
    "False and, for abs(r), relu = ((1.0, 0.0), (-1.0, 0.0)), the loss being the sum of max(0, slope * t + offset). "
)


def all_or_nothing(fit):
    """Leave the estimator as it was where fitting raises."""

    @wraps(fit)
    def fit_or_restore(self, *args, **kwargs):
        before = vars(self).copy()
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return fit_or_restore


def fit_threads(objective):
    """Context of a fit: one thread of BLAS where more would cost more than they save."""
    small = objective.p <= SMALL_BLOCKS or objective.design.sparse  # of a sparse X it sees vectors alone
    return one_blas_thread() if small else nullcontext()


@dataclass
class _Problem:
    """What is to be minimised, from checked data.

    ``target`` is y in the form the loss takes, less `origin`; ``known`` are the attributes that do not depend on the
    solution; ``start`` is where the solver starts, None for the model without features; ``solver`` None for that of
    the parameters.
    """

    X: Any
    y: np.ndarray
    target: np.ndarray
    loss: Loss
    weight: np.ndarray
    n_outputs: int
    fit_intercept: bool
    known: dict[str, Any]
    start: np.ndarray | None = None
    solver: Any = None
    origin: Any = 0.0

    @property
    def levels(self):
        return self.loss.levels


class LinearLossModel(CallbackSupportMixin, BaseEstimator):
    """What regressor and classifier share: parameters, one fit, the decision values."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [object],  # get_loss says what is wrong with it
        "penalty": [str, Penalty, None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "bounds": [tuple, list, None],
        "solver": [str, callable],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def set_params(self, **params):
        """Set parameters; ``loss__delta=2`` turns ``loss="huber"`` into its object first.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator, and of its loss and penalty with the prefixes ``loss__`` and ``penalty__``.

        Returns
        -------
        self
        """
        for name, get in (("loss", get_loss), ("penalty", get_penalty)):
            value = params.get(name, getattr(self, name))
            nested = [key for key in params if key.startswith(name + "__")]
            if nested and isinstance(value, str):
                value = params[name] = get(value)
            if nested and not hasattr(value, "set_params"):
                raise ValueError(
                    f"Invalid parameter {nested[0]!r} for {type(self).__name__}: {name}={value!r} has no parameters. "
                    f"Pass a {name} that has them, by its name or as an object, in the same call."
                )
        return super().set_params(**params)

    def _valid_loss(self):
        """A clone-like copy of the loss with valid parameters, of this estimator's kind."""
        check_parameters(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)
        regressor = isinstance(self, LossRegressor)
        plain = callable(self.loss) and not isinstance(self.loss, type | Loss)  # a function of y and the raw prediction
        kind = {"response_method": "predict" if regressor else "decision_function"} if plain else {}
        loss = clone(get_loss(self.loss, **kind)).check()
        if (loss.response_method == "predict") != regressor:
            what, other = ("classification", LossClassifier) if regressor else ("regression", LossRegressor)
            raise ValueError(
                f"loss={self.loss!r} is a {what} loss and does not fit {type(self).__name__}; use {other.__name__}."
            )
        return loss

    def _valid_penalty(self):
        penalty = get_penalty(self.penalty)
        return None if penalty is None else penalty.check()

    def _valid_bounds(self, n_features):
        """Least and largest coefficients, (n_features,) each; None for no bounds."""
        if self.bounds is None:
            return None
        if len(self.bounds) != 2:
            raise ValueError(f"bounds must be a pair (lower, upper), got {self.bounds!r}.")
        names = getattr(self, "feature_names_in_", None)
        lower, upper = (
            _limit(limit, default, which, n_features, names)
            for limit, default, which in zip(self.bounds, (-np.inf, np.inf), ("lower", "upper"), strict=True)
        )
        crossed = np.flatnonzero(lower > upper)
        if len(crossed):
            j = crossed[0]
            which = f"feature {j}" if names is None else f"feature {names[j]!r}"
            raise ValueError(f"bounds cross: the lower bound of {which}, {lower[j]}, is above the upper, {upper[j]}.")
        return None if np.isinf(lower).all() and np.isinf(upper).all() else (lower, upper)

    def _starts_warm(self, n_outputs, n_features):
        """Whether to start at the coefficients of the last fit."""
        warm = getattr(self, "warm_start", False)  # estimators that search have none
        return warm and np.atleast_2d(getattr(self, "coef_", ())).shape == (n_outputs, n_features)

    def _of_sets(self, loss, y, sample_set, weight):
        """The loss of these sets of rows, of which those of weight 0 are left out; writes ``n_sets_``."""
        self.__dict__.pop("n_sets_", None)
        if loss.elementwise:
            return loss
        kept = weight > 0
        sets = loss.check_sets(y[kept], loss.sets(sample_set, len(y)).only(kept))
        self.n_sets_ = len(np.unique(sets.index))
        return loss.of_sets(sets)

    def _shape(self):
        """Penalty and alpha of the fit."""
        return self._valid_penalty(), self.alpha

    def _objective(self, problem, penalty, alpha):
        return LinearObjective(
            problem.X,
            problem.target,
            problem.loss,
            penalty=penalty,
            alpha=alpha,
            sample_weight=problem.weight,
            fit_intercept=problem.fit_intercept,
            n_outputs=problem.n_outputs,
            bounds=self._valid_bounds(problem.X.shape[1]),
        )

    def _fitted(self, problem, objective, solution):
        """The fitted attributes of a solution."""
        coef, intercept = objective.unpack(solution.params)
        intercept += problem.origin
        return problem.known | {
            "coef_": self._per_output(coef.astype(problem.X.dtype)),
            "intercept_": self._per_output(intercept.astype(problem.X.dtype)),
            "solution_": replace(solution, params=np.column_stack([coef, intercept]).ravel()),
            "n_iter_": solution.n_iter,
        }

    def _fit(self, problem, tasks):
        """Minimise, write the fitted attributes, warn once if the certificate fails."""
        objective = self._objective(problem, *self._shape())
        solver = get_solver(self.solver, objective) if problem.solver is None else problem.solver
        params = problem.start
        if params is None:
            params = objective.null.params if problem.levels is None else np.zeros(objective.n_params)
        n_outputs = problem.n_outputs
        if self._starts_warm(n_outputs, problem.X.shape[1]):
            intercept = np.reshape(self.intercept_, -1) - problem.origin
            params = objective.pack(np.reshape(self.coef_, (n_outputs, -1)), intercept)

        def after_iteration(n_iter, value, optimality, params=None):
            if self.verbose:
                print(f"iteration {n_iter:4d}: objective {value:.10g}, optimality {optimality:.1e}")
            if tasks.watched and params is not None:
                stopped = Stopped(params, value, optimality, n_iter)
                if tasks.iteration(lambda: self._fitted(problem, objective, _unfinished(stopped))):
                    raise stopped

        callback = after_iteration if self.verbose or tasks.watched else None
        with fit_threads(objective):
            try:
                solution = self._solve(problem, solver, objective, params, callback)
            except Stopped as stopped:
                solution = _unfinished(stopped)
        for name, value in self._fitted(problem, objective, solution).items():
            setattr(self, name, value)
        if not np.any(self.coef_):
            shrunk = ": the l1 penalty outweighs every feature, and a smaller alpha lets some in"
            self.solution_.message = (
                f"all coefficients are zero{shrunk * bool(objective.l1.any())}; {solution.message}".strip("; ")
            )
        if not solution.converged:
            said = f"{solution.message.rstrip('. ')}. " if solution.message else ""
            warnings.warn(
                f"{type(self).__name__} did not converge: solver {solution.solver!r} stopped after {solution.n_iter} "
                f"iterations at optimality {solution.optimality:.1e}, above tol={self.tol:g}. {said}"
                + ("" if objective.declared else UNDECLARED)
                + "Increase max_iter or tol, add a penalty or a larger alpha, or scale the features.",
                ConvergenceWarning,
                stacklevel=users_level(),
            )

    def _solve(self, problem, solver, objective, params, callback):
        return solve_columns(solver, objective, params, tol=self.tol, max_iter=self.max_iter, callback=callback)

    def _raw_prediction(self, X):
        """Decision values, (n,) or (n, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        raw = X @ np.atleast_2d(self.coef_).T + self.intercept_
        return raw[:, 0] if raw.shape[1] == 1 else raw


def _limit(limit, default, which, n_features, names):
    """One side of the bounds as an array (n_features,)."""
    if isinstance(limit, dict):
        known = [] if names is None else names.tolist()
        unknown = [name for name in limit if name not in known]
        if unknown:
            seen = f"the features are {known}" if known else "X has no feature names; pass an array or a data frame"
            raise ValueError(f"The {which} bounds name features that X does not have, {unknown}; {seen}.")
        return np.array([default if (value := limit.get(name)) is None else value for name in known], dtype=float)
    values = np.full(n_features, default if limit is None else limit, dtype=float) if np.ndim(limit) == 0 else limit
    values = np.asarray([default if value is None else value for value in values], dtype=float)
    if values.shape != (n_features,) or np.isnan(values).any():
        raise ValueError(
            f"The {which} bound must be None, a number, {n_features} numbers (one for each feature) or a dict by "
            f"feature name; got {limit!r}."
        )
    return values


def _unfinished(stopped):
    """The solution at an iteration that a callback sees, and may have stopped at."""
    return Solution(
        stopped.params, stopped.value, stopped.n_iter, stopped.n_iter, stopped.optimality, None,
        "none: the iterations were stopped", False, "any", "Stopped by a callback. ",
    )  # fmt: skip


class LossRegressor(RegressorMixin, LinearLossModel):
    """Linear regression that minimises any regression loss, to a certified optimum.

    The objective, with weights that are divided by their sum, is::

        sum_i weight_i * loss(y_i, x_i . coef + intercept) + alpha * penalty(coef)

    and for losses whose constants are meant for residuals of scale 1 (``standardized``: huber), with
    r_i = y_i - x_i . coef - intercept and s = ``scale_``::

        sum_i weight_i * s**2 * rho(r_i / s) + alpha * penalty(coef)

    or, with ``scale="joint"``, over s > 0 as well, for any convex, smooth loss rho of the residual::

        sum_i weight_i * (s / 2) * (1 + 2 * rho(r_i / s)) + alpha * penalty(coef)

    A loss that is not convex (tukey, cauchy, barron below 1) is fitted to a local minimum: straight from the median
    regression and once more by way of losses with constants 8, 4 and 2 times as wide; the better one is kept, and
    ``solution_.message`` says both.

    Parameters
    ----------
    loss : str, Loss or callable, default="squared_error"
        A name of `sklloss.list_losses("regression")`, a loss, or a plain function of ``(y_true, raw_prediction)`` that
        returns the loss of each sample; see `sklloss.losses.FunctionLoss`.
    penalty : {"l2", "l1", "elasticnet", "total_variation", "none"}, Penalty or None, default="l2"
        Shape of the penalty; the intercept is never penalised.  ``penalty__l1_ratio`` and ``penalty__weights`` are
        parameters of it.  `sklloss.penalties` has more, such as `GroupLasso`.
    alpha : float >= 0, default=1e-4
        Strength of the penalty, in the unit of the loss.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    scale : {"auto", "mad", "joint"}, float > 0 or None, default="auto"
        Unit of the residuals for ``standardized`` losses; but for "joint", it has no effect on the others.

        - "auto": the median absolute residual, over 0.6745, of a median regression with the same penalty (of y in
          units of its spread, the mean absolute deviation from its median); residuals that this fit makes zero are
          left out.  It is fixed before the fit, so the problem stays convex.
        - "mad": the median absolute residual, over 0.6745, of the fit itself: fit and scale alternate, from the
          median regression on, until both stay.  With ``penalty=None`` this is R's ``MASS::rlm``.
        - "joint": minimise over the scale too, see above.  ``HuberRegressor(epsilon=delta, alpha=a)`` is
          ``LossRegressor(Huber(delta), scale="joint", alpha=a / sum of weights)``.  It needs a convex, smooth loss with
          z * psi(z) - rho(z) > 1/2 somewhere (huber: delta > 1).
        - None: 1, which takes delta in units of y.  A float s with ``Huber(delta)`` is ``Huber(delta * s)``.

        With an estimated scale y, y / 1000 and 1000 y give the same model.  As an exact fit has no scale, it is at
        least 1e-6 of the spread of y ("auto": 0.01).
    bounds : pair (lower, upper), default=None
        Bounds on the coefficients, the same for every output; not on the intercept.  Each is None, a number, an array
        of shape (n_features,), with None or inf for no bound, or a dict by feature name.
    non_crossing : {"none", "sort", "constrain"}, default="none"
        What happens where a loss of several levels, as ``Pinball([0.1, 0.9])``, would predict a low level above a high
        one; it has no effect on others.

        - "none": nothing; each level is fitted as on its own.
        - "sort": the predictions of each row are sorted.
        - "constrain": the levels are fitted together, such that none cross at the rows of the fit.  At others they may,
          though less often.
    solver : str or callable, default="auto"
        "auto" chooses from the facts of loss and penalty: "least_squares", "newton" or "lbfgs" where all is smooth,
        "kinks" for a loss of kinks, "proximal_newton" or "split" for an l1 penalty, bounds, or a curved loss with
        kinks, "cones" for norms of groups or of differences.  Any method of `scipy.optimize.minimize`, or a callable
        with its interface, does for smooth losses.
    tol : float > 0, default=1e-6
        Bound on ``solution_.optimality``, which has no unit: the gradient relative to that of the model without
        features, or, for losses with kinks, the duality gap relative to the objective.
    max_iter : int >= 1, default=1000
        Bound on the iterations.
    warm_start : bool, default=False
        Whether to start at the coefficients of the last fit.
    verbose : int, default=0
        Whether to print each iteration.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        The levels of a loss of several levels are outputs.
    intercept_ : float or ndarray of shape (n_outputs,)
    scale_ : float or ndarray of shape (n_outputs,)
        The scale of the residuals that the fit used; 1 where the loss takes none.
    n_iter_ : int
    n_sets_ : int
        Of a loss of sets of rows, the number of sets.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    loss_ : Loss
        A copy of the loss, as fitted.
    solution_ : Solution
        ``value``, ``optimality``, ``gap``, ``certificate`` (a sentence), ``solver``, ``n_passes``, ``history``; its
        ``params`` are the coefficients and the intercept of each output in float64.

    Raises
    ------
    ValueError
        For parameters out of range, and targets outside the domain of the loss: which row, which value.

    Examples
    --------
    >>> import numpy as np
    >>> from sklloss import LossRegressor
    >>> X = np.arange(10.0).reshape(-1, 1)
    >>> y = 2 * X[:, 0] + 1
    >>> y[9] = 1000
    >>> model = LossRegressor("absolute_error", penalty=None).fit(X, y)
    >>> model.coef_.round(6), round(model.intercept_, 6)
    (array([2.]), 1.0)
    >>> print(model.solution_.certificate)
    the optimum is at most ... below the value 98.1 (strict duality gap)
    """

    _parameter_constraints = {
        **LinearLossModel._parameter_constraints,
        "scale": [StrOptions({"auto", "mad", "joint"}), Interval(Real, 0, None, closed="neither"), None],
        "non_crossing": [StrOptions({"none", "sort", "constrain"})],
    }

    def __init__(
        self,
        loss="squared_error",
        penalty="l2",
        *,
        alpha=1e-4,
        fit_intercept=True,
        scale="auto",
        bounds=None,
        non_crossing="none",
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        warm_start=False,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.scale = scale
        self.bounds = bounds
        self.non_crossing = non_crossing
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    @all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None, sample_set=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Several outputs are fitted as if one by one, for losses whose domain is the whole line and that have one
            level; together by a loss of rows of outputs (`sklloss.losses.FeatureLoss`).
        sample_weight : array-like of shape (n_samples,), default=None
            A weight of k is the same as k copies of the row; only ratios matter.
        sample_set : array-like of shape (n_samples,), default=None
            For losses of sets of rows (psnr): which rows make one set; None for all of them.  Others ignore it.

        Returns
        -------
        self
        """
        problem = self._prepare(X, y, sample_weight, sample_set)
        tasks = FitTasks(self, problem.X, problem.y, sample_weight)
        self._fit(problem, tasks)
        self.scale_ = self._per_output(np.array(problem.solver.scales))
        tasks.end()
        return self

    def _prepare(self, X, y, sample_weight, sample_set):
        """The problem that a fit solves, from data that are checked here."""
        loss = self._valid_loss()
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32], y_numeric=True,
            multi_output=loss.interval_y_true.is_real_line and loss.levels is None,
        )  # fmt: skip
        y = np.asarray(y, dtype=np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        loss.check_y_true(y, fit=True)
        weight = check_sample_weight(sample_weight, X)
        n_outputs = len(loss.levels or ()) or (1 if y.ndim == 1 else y.shape[1])
        if self.scale == "joint":
            check_joint(loss.column(0))
        fitting = ScaledFit(self.solver, self.scale, self._starts_warm(n_outputs, X.shape[1]))
        origin = _origin(y) if loss.translates and self.fit_intercept else 0.0
        bound = self._of_sets(loss, y, sample_set, weight)
        return _Problem(
            X, y, loss.per_level(y - origin), bound, weight, n_outputs, self.fit_intercept, {"loss_": loss},
            solver=fitting, origin=origin,
        )  # fmt: skip

    def _solve(self, problem, solver, objective, params, callback):
        if problem.levels is None:
            return super()._solve(problem, solver, objective, params, callback)
        if callback is not None:
            solution = super()._solve(problem, solver, objective, params, callback)
        else:
            columns = (objective.column(k) for k in range(objective.n_outputs))
            first = objective.column(0).null.params if not params.any() else params[: objective.p]
            parts = solver.follow(columns, first, tol=self.tol, max_iter=self.max_iter)
            solution = together(parts, objective.n_passes)
        if self.non_crossing == "constrain":
            solution = without_crossing(objective, solution, tol=self.tol, max_iter=self.max_iter)
        return solution

    @staticmethod
    def _per_output(values):
        """What a fitted attribute is: of a single output without its axis."""
        return values if len(values) > 1 else values[0] if values.ndim > 1 else float(values[0])

    def predict(self, X):
        """Predict the target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_levels)
            In the unit of y: with a log link, the mean and not its logarithm.
        """
        raw = self._raw_prediction(X)
        if self.loss_.levels is not None and self.non_crossing == "sort":
            raw = np.sort(raw, axis=1)
        return self.loss_.response(raw)

    def score(self, X, y, sample_weight=None):
        """R² of the predictions; of several levels, of that nearest to 0.5.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        y_pred = self.predict(X)
        if self.loss_.levels is not None:
            y_pred = y_pred[:, int(np.argmin(np.abs(np.array(self.loss_.levels) - 0.5)))]
        return r2_score(y, y_pred, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        loss = _loss_or_none(self.loss)
        tags.target_tags.positive_only = loss is not None and loss.positive_only
        tags.target_tags.multi_output = loss is not None and loss.interval_y_true.is_real_line and loss.levels is None
        return tags


def _origin(y):
    """Median of each output, (n_outputs,) or a float; 0 where y is not far from 0."""
    middle = np.median(y, axis=0)
    return np.where(np.abs(middle) > FAR * np.abs(y - middle).mean(axis=0), middle, 0.0)


def _loss_or_none(loss):
    """The loss, or None for an invalid one: tags and availability must not raise."""
    try:
        return get_loss(loss)
    except (TypeError, ValueError):
        return None


def _has_probability(estimator):
    loss = _loss_or_none(estimator.loss)
    if loss is not None and not loss.probabilistic:
        raise AttributeError(
            f"loss={estimator.loss!r} has no probability. Use decision_function, a loss with probabilities "
            "(log_loss), or sklearn.calibration.CalibratedClassifierCV around this classifier."
        )
    return loss is not None


class LossClassifier(ClassifierMixin, LinearLossModel):
    """Linear classification that minimises any classification loss, to a certified optimum.

    The objective, with weights that are divided by their sum, is::

        sum_i weight_i * loss(y_i, x_i . coef + intercept) + alpha * penalty(coef)

    More than two classes are one problem: by softmax where the loss knows several classes (log_loss), else by one
    column for each class against the rest, whose losses add up, as in `OneVsRestClassifier` at the same alpha.

    Parameters
    ----------
    loss : str, Loss or callable, default="log_loss"
        A name of `sklloss.list_losses("classification")`, a loss, or a plain function of y_true in {0, 1} and the
        decision value that returns the loss of each sample; see `sklloss.losses.FunctionLoss`.
    penalty : {"l2", "l1", "elasticnet", "total_variation", "none"}, Penalty or None, default="l2"
        Shape of the penalty; the intercept is never penalised.  ``penalty__l1_ratio`` and ``penalty__weights`` are
        parameters of it.  `sklloss.penalties` has more, such as `GroupLasso`.
    alpha : float >= 0, default=1e-4
        Strength of the penalty; ``LogisticRegression(C=C)`` is alpha = 1 / (C * sum of weights).
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    bounds : pair (lower, upper), default=None
        Bounds on the coefficients, the same for every output; not on the intercept.  Each is None, a number, an array
        of shape (n_features,), with None or inf for no bound, or a dict by feature name.
    class_weight : dict, "balanced" or None, default=None
        Multiplies the sample weights by class; "balanced" gives every class the same total weight.
    solver : str or callable, default="auto"
        "auto" chooses from the facts of loss and penalty: "newton" or "lbfgs" where all is smooth, "kinks" for a loss
        of kinks, "proximal_newton" or "split" for an l1 penalty, bounds, or a curved loss with kinks, "cones" for norms
        of groups or of differences.  Any method of `scipy.optimize.minimize`, or a callable with its interface, does
        for smooth losses.
    tol : float > 0, default=1e-6
        Bound on ``solution_.optimality``, which has no unit: the gradient relative to that of the model without
        features, or, for losses with kinks, the duality gap relative to the objective.
    max_iter : int >= 1, default=1000
        Bound on the iterations.
    warm_start : bool, default=False
        Whether to start at the coefficients of the last fit.
    verbose : int, default=0
        Whether to print each iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : int
    n_sets_ : int
        Of a loss of sets of rows, the number of sets.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    loss_ : Loss
        A copy of the loss, as fitted.
    solution_ : Solution
        ``value``, ``optimality``, ``gap``, ``certificate`` (a sentence), ``solver``, ``n_passes``, ``history``; its
        ``params`` are the coefficients and the intercept of each column in float64.

    Raises
    ------
    ValueError
        For parameters out of range, and for a single class.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklloss import LossClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> LossClassifier("log_loss", alpha=1e-3).fit(X, y).predict_proba(X[:1]).round(3)
    array([[0.996, 0.004, 0.   ]])
    >>> LossClassifier("hinge").fit(X, y == 0).score(X, y == 0)
    1.0
    """

    _parameter_constraints = {
        **LinearLossModel._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        loss="log_loss",
        penalty="l2",
        *,
        alpha=1e-4,
        fit_intercept=True,
        bounds=None,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        warm_start=False,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.bounds = bounds
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    @all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None, sample_set=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels of any kind; for losses of probabilities (log_loss, poly1, focal, brier) also probabilities or
            one-hot rows, whose classes are the names of the columns of a data frame, else 0, 1, ...
        sample_weight : array-like of shape (n_samples,), default=None
            A weight of k is the same as k copies of the row; only ratios matter.
        sample_set : array-like of shape (n_samples,), default=None
            For losses of sets of rows (dice, ctc): which rows make one set; None for all of them.  Others ignore it.

        Returns
        -------
        self
        """
        problem = self._prepare(X, y, sample_weight, sample_set)
        tasks = FitTasks(self, problem.X, problem.y, sample_weight)
        self._fit(problem, tasks)
        tasks.end()
        return self

    def _prepare(self, X, y, sample_weight, sample_set):
        """The problem that a fit solves, from data that are checked here."""
        loss = self._valid_loss()
        labels = _column_names(y)
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32], multi_output=labels is not None
        )
        weight = check_sample_weight(sample_weight, X)
        if labels is None:
            classes, index, weight = self._hard_labels(y, loss, weight)
            mass = np.bincount(index, weight, len(classes))
            of_class = _class_weights(self.class_weight, classes, mass)
            weight = weight * of_class[index]
        else:
            classes, shares = labels, _soft_labels(y, loss)
            mass = weight @ shares
            of_class = _class_weights(self.class_weight, classes, mass)
            weight = weight * (shares @ of_class)
        present = mass * of_class > 0
        if present.sum() < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes with a positive weight; "
                f"only the class {classes[present].tolist()} has one."
            )
        n_outputs = 1 if len(classes) == 2 else len(classes)
        bound = loss.bind(classes)
        if labels is None:
            target = encode_classes(index, len(classes), bound)
        else:
            target = shares[:, 1] if len(classes) == 2 else shares
        start = None
        bound.check_y_true(target, fit=True)
        bound = self._of_sets(bound, target, sample_set, weight)
        if not loss.convex and loss.multiclass and not loss.needs_sets:
            # A loss that is not convex starts at the fit of a convex one; in a sequence labels have no place.
            convex = LinearObjective(
                X, target, LogLoss(), penalty=self._shape()[0] or L2(), alpha=self._shape()[1] or 1e-4,
                sample_weight=weight, fit_intercept=self.fit_intercept, n_outputs=n_outputs,
            )  # fmt: skip
            options = {"tol": 1e-4, "max_iter": self.max_iter}
            start = solve_columns(get_solver("auto", convex), convex, convex.null.params, **options).params
        known = {"classes_": classes, "loss_": loss}
        return _Problem(X, y, target, bound, weight, n_outputs, self.fit_intercept, known, start=start)

    @staticmethod
    def _per_output(values):
        """What a fitted attribute is: always with the axis of the columns."""
        return values

    def _hard_labels(self, y, loss, weight):
        """Classes, the index of that of each row, and weights that are 0 for rows whose label the loss ignores."""
        try:
            check_classification_targets(y)
        except ValueError as error:
            if loss.response_method != "predict_proba" or y.dtype.kind != "f" or not np.all((y >= 0) & (y <= 1)):
                raise
            raise ValueError(
                f"{error} Probabilities of the second of two classes go in as rows: np.column_stack([1 - y, y])."
            ) from None
        ignore = getattr(loss, "ignore_label", None)
        seen = np.ones(len(y), bool) if ignore is None else y != ignore
        classes = np.unique(y[seen])
        if (blank := getattr(loss, "blank", None)) is not None:  # a class, though no row need have it
            if isinstance(blank, str) != (classes.dtype.kind in "USO"):
                raise ValueError(f"blank={blank!r} of {loss!r} is no label of the kind of y, {classes.tolist()}.")
            classes = np.unique(np.append(classes, blank))
        if len(classes) < 2:
            (only,) = classes.tolist()
            raise ValueError(f"{type(self).__name__} needs at least 2 classes; y holds only one class, {only!r}.")
        index = np.searchsorted(classes, np.where(seen, y, classes[0]))
        return classes, index, np.where(seen, weight, 0.0)

    def decision_function(self, X):
        """Confidence of each row for the second class, or for each of more than two.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._decision(self._raw_prediction(X))

    def _decision(self, raw):
        if raw.ndim == 2 and not self.loss_.smooth:
            # A row may sit on the kink of several columns, at exactly -1, say: without the last digits, which depend
            # on the rows it comes with, its class does not.
            raw = np.round(raw, 12 if raw.dtype == np.float64 else 5)
        return self.loss_.decision(raw)

    def predict(self, X):
        """Predict the class: the largest decision value.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        index = self._index(self.decision_function(X))
        return self.classes_[index]

    @staticmethod
    def _index(raw):
        """Index of the predicted class."""
        return (raw > 0).astype(int) if raw.ndim == 1 else raw.argmax(axis=1)

    def score(self, X, y, sample_weight=None):
        """Accuracy: the weighted mean of y[i, predicted class], 1 or 0 for labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or the probabilities of the classes in the order of ``classes_``.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        if _column_names(y) is None:
            return super().score(X, y, sample_weight)
        shares = check_array(y, dtype=np.float64, input_name="y")
        index = self._index(self.decision_function(X))
        check_consistent_length(index, shares)
        if shares.shape[1] != len(self.classes_):
            raise ValueError(f"y has {shares.shape[1]} columns, but there are {len(self.classes_)} classes.")
        return float(np.average(shares[np.arange(len(index)), index], weights=sample_weight))

    @available_if(_has_probability)
    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            For one-vs-rest columns each column's probability over their sum; uniform where all are 0.
        """
        raw = self._raw_prediction(X)
        p = self.loss_.probability(raw)
        if p.ndim == 1:
            return np.column_stack([1 - p, p])
        if self.loss_.multiclass:
            return p
        total = p.sum(axis=1, keepdims=True)
        return np.where(total > 0, p / np.where(total > 0, total, 1), 1 / p.shape[1])

    @available_if(_has_probability)
    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`; -inf where that is 0."""
        with np.errstate(divide="ignore"):  # log 0 = -inf is the true value
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        loss = _loss_or_none(self.loss)
        tags.classifier_tags.poor_score = loss is not None and loss.poor_score
        return tags


def _column_names(y):
    """The classes of soft labels, (K,), by the columns of y; None for anything but two or more columns."""
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) != 2 or shape[1] < 2:
        return None
    return np.asarray(getattr(y, "columns", range(shape[1])))


def _soft_labels(y, loss):
    """Probabilities of the classes, (n, K), or a ValueError that says what is wrong with them."""
    if loss.response_method != "predict_proba":
        raise ValueError(
            f"y has shape {y.shape}, but {loss!r} takes labels of shape ({len(y)},). Rows of probabilities are for "
            "losses of probabilities, as log_loss, poly1, focal and brier are; the labels of one-hot rows are "
            "y.argmax(axis=1)."
        )
    shares = check_array(y, dtype=np.float64, input_name="y")
    wrong = (shares < 0).any(axis=1) | (np.abs(shares.sum(axis=1) - 1) > 1e-6)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"y has shape {y.shape}; its rows must be probabilities, >= 0 with the sum 1 (one-hot rows included), but "
            f"row {row} is {shares[row].tolist()}. A classifier takes one target: labels of shape ({len(y)},)."
        )
    return shares


def _class_weights(class_weight, classes, mass):
    """Weight of each class, (K,); "balanced" equalises the total weights of the classes, `mass`."""
    if class_weight is None:
        return np.ones_like(mass)
    if class_weight == "balanced":
        present = mass > 0
        return np.divide(mass.sum(), present.sum() * mass, out=np.zeros_like(mass), where=present)
    return compute_class_weight(class_weight, classes=classes, y=classes).astype(np.float64)
