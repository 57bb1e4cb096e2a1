"""Paths: a model for each strength of its penalty, and the strength chosen by cross-validation.

Along a path each fit starts at the one before.  The path of all rows comes first; that of a training part then follows
it at a distance, which hardly changes from one alpha to the next, so that a step or two are left for each.  A quadratic
loss needs X once: the rows of each test part are replaced by the factor of their QR decomposition, which holds all that
least squares can ask of them, and those of a training part are the factors of the others together (`_factor`).

What is chosen is what `GridSearchCV` chooses over the same alphas and folds.
"""

import warnings
from copy import copy
from dataclasses import dataclass, field, replace
from inspect import signature
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed

from ._compat import FitTasks, Interval, StrOptions, is_scorer, scorer_function, users_level, with_callbacks
from ._factor import Factors
from .linear_model import LinearLossModel, LossClassifier, LossRegressor, all_or_nothing, fit_threads
from .losses import SquaredError
from .losses._base import get_loss
from .solvers import Solution, follow, together, without_crossing

__all__ = ["LossClassifierCV", "LossPath", "LossRegressorCV", "loss_path"]

N_ALPHAS = 30
SHORTEST = {True: 1e-3, False: 1e-6}  # the least alpha over the largest, with an l1 penalty and without one
_FIXED = "alpha", "warm_start"  # parameters of a model that a search has not
EXACT = 1e-20  # of the loss of a target: the loss of a prediction that is the target
WORTH = 0.005  # of the loss of the model without features: all that is gained at the largest alpha of an l2 penalty


@dataclass
class LossPath:
    """What `loss_path` returns: coefficients by alpha.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.
    coef : ndarray of shape (n_alphas, n_features) or (n_alphas, n_outputs, n_features)
        As ``coef_`` of the estimators.
    intercept : ndarray of shape (n_alphas,) or (n_alphas, n_outputs)
    solutions : list of Solution
        With the certificate of each.
    feature_names : ndarray of shape (n_features,) or None
    """

    alphas: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    solutions: list[Solution] = field(repr=False)
    feature_names: np.ndarray | None = field(default=None, repr=False)


def loss_path(X, y, loss="squared_error", penalty="l2", alphas=N_ALPHAS, *, sample_weight=None, **params):
    """Fit a linear model for each strength of its penalty, each from the one before.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    loss : str, Loss or callable, default="squared_error"
        Of regression or of classification.
    penalty : {"l2", "l1", "elasticnet"} or Penalty, default="l2"
    alphas : int or array-like, default=30
        The strengths; a number of them is spread, by factors, from where the penalty leaves next to nothing, with an l1
        penalty nothing at all, to a thousandth of that, or a millionth where it has no l1 part.
    sample_weight : array-like of shape (n_samples,), default=None
    **params : dict
        Other parameters of `LossRegressor` or `LossClassifier`.

    Returns
    -------
    LossPath

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import loss_path
    >>> path = loss_path(*load_diabetes(return_X_y=True), "absolute_error", "l1", alphas=[0.1, 0.01])
    >>> (path.coef != 0).sum(axis=1)
    array([0, 4])
    """
    kind = get_loss(loss).response_method
    model = (LossRegressor if kind == "predict" else LossClassifier)(loss, penalty, **params)
    problem = model._prepare(X, y, sample_weight, None)
    penalty, caller = model._valid_penalty(), "loss_path"
    everything = [np.arange(len(problem.y))]
    if _LeastSquares.suits(model, problem, everything):
        squares = _LeastSquares(model, problem, everything)
        path = squares.follow(squares.factors.whole(), penalty, alphas, caller)
    else:
        path = _follow(model, problem, penalty, alphas, caller)
    _warn(path.fits, "loss_path", model.tol)
    return _gathered(path, getattr(model, "feature_names_in_", None))


def _gathered(path, names):
    coef, intercept, solutions = ([fit[name] for fit in path.fits] for name in ("coef_", "intercept_", "solution_"))
    return LossPath(path.alphas, np.array(coef), np.array(intercept), solutions, names)


# ---------------------------------------------------------------------------------------------------- one path
@dataclass
class _Path:
    """Alphas, the fitted attributes of a model at each, and by column, then alpha, the Hessians, or None.

    Hessians are in the coordinates of an objective, of which ``unit`` and ``origin`` are what `pack` goes by.
    """

    alphas: np.ndarray
    fits: list[dict[str, Any]]
    hessians: list[list[np.ndarray | None]]
    unit: np.ndarray
    origin: np.ndarray

    def guide(self, objective, intercept, k):
        """The minimum and the Hessian, or None, at each alpha in the coordinates of an objective, of its column k."""
        d, n_columns = len(self.unit), len(self.hessians)
        change: np.ndarray = np.eye(objective.p)
        change[np.arange(d), np.arange(d)] = objective.unit / np.where(self.unit > 0, self.unit, 1.0)
        if objective.fit_intercept:
            change[d, :d] = (self.origin - objective.design.origin) * objective.unit
        change = np.kron(np.eye(objective.n_outputs // n_columns), change)
        minima = []
        for fit in self.fits:
            given = fit["solution_"].params.reshape(objective.n_outputs, -1)
            params = objective.pack(given[:, :-1], given[:, -1] - intercept)
            minima.append(params if n_columns == 1 else params.reshape(n_columns, -1)[k])
        return [
            (params, None if hessian is None else change.T @ hessian @ change)
            for params, hessian in zip(minima, self.hessians[k], strict=True)
        ]


def _follow(model, problem, penalty, alphas, caller, similar=None):
    """The path of a model, where there is one guided by the path of similar rows."""
    objective = model._objective(problem, penalty, 1.0)
    columns = [objective]
    if objective.n_outputs > 1 and not objective.coupled:
        columns = [objective.column(k) for k in range(objective.n_outputs)]
    alphas = _grid(alphas, columns, penalty, caller)
    options: dict[str, Any] = {"tol": model.tol, "max_iter": model.max_iter}
    starts = len(columns) * [None] if problem.start is None else np.reshape(problem.start, (len(columns), -1))
    parts, solver = [], copy(problem.solver)
    hessians: list[list[np.ndarray | None]] = []
    few = len(alphas) * columns[0].n_params <= len(problem.y)  # Hessians, which are then no larger than X
    if solver is not None:
        solver.scales = []
    for k, (column, start) in enumerate(zip(columns, starts, strict=True)):
        start = column.null.params if start is None else start
        along = (column.with_alpha(alpha) for alpha in alphas)
        guide = None if similar is None else similar.guide(objective, problem.origin, k)
        near: list[np.ndarray | None] | None = [] if few else None
        with fit_threads(objective):
            if solver is None:
                parts.append(follow(along, model.solver, start, guide, near, **options))
            else:
                parts.append(solver.follow(along, start, guide, near, **options))
        hessians.append(near or [None] * len(alphas))
    if len(columns) == 1:
        solutions = parts[0]
    else:
        solutions = [together(part, objective.n_passes) for part in zip(*parts, strict=True)]
    if problem.levels is not None and model.non_crossing == "constrain":
        pairs = zip(alphas, solutions, strict=True)
        solutions = [without_crossing(objective.with_alpha(alpha), free, **options) for alpha, free in pairs]
    fits = [model._fitted(problem, objective, solution) for solution in solutions]
    if solver is not None:
        scales = np.reshape(solver.scales, (len(columns), -1))
        for k, fit in enumerate(fits):
            fit["scale_"] = model._per_output(scales[:, k])
    return _Path(alphas, fits, hessians, objective.unit, objective.design.origin)


class _LeastSquares:
    """The paths of a quadratic loss, curvature / 2 * (target - raw)**2, on the factors of the rows."""

    def __init__(self, model, problem, parts):
        self.model, self.problem = model, problem
        self.curvature, target = _as_least_squares(model, problem)
        self.factors = Factors(problem.X, target, problem.weight, parts, problem.fit_intercept)

    @staticmethod
    def suits(model, problem, parts):
        return _as_least_squares(model, problem) is not None and Factors.worthwhile(problem.X, parts)

    def follow(self, reduced, penalty, alphas, caller, similar=None):
        """As `_follow`."""
        model, given = self.model, self.problem
        loss = SquaredError() if self.curvature == 2 else 0.5 * self.curvature * SquaredError()
        target = reduced.target if given.n_outputs > 1 else reduced.target[:, 0]
        known = given.known | {"scale_": model._per_output(np.ones(given.n_outputs))}
        problem = replace(
            given, X=reduced.X, target=target, loss=loss, weight=np.ones(len(target)), fit_intercept=False,
            known=known, solver=None, origin=0.0,
        )  # fmt: skip
        path = _follow(model, problem, penalty, alphas, caller, similar)
        for fit in path.fits:
            coef = fit["solution_"].params.reshape(given.n_outputs, -1)[:, :-1]
            intercept = reduced.intercept(coef) + given.origin
            fit["coef_"] = fit["coef_"].astype(given.X.dtype)
            fit["intercept_"] = model._per_output(intercept.astype(given.X.dtype))
            fit["solution_"] = replace(fit["solution_"], params=np.column_stack([coef, intercept]).ravel())
        return path


def _as_least_squares(model, problem):
    """(curvature, target (n, n_outputs)) of a loss that is curvature / 2 * (target - raw)**2, else None."""
    loss, y = problem.loss, problem.target
    if not (loss.quadratic and loss.elementwise) or (problem.n_outputs > 1 and loss.multiclass):
        return None
    if getattr(model, "scale", None) == "joint":
        return None
    zero = np.zeros_like(y)
    curvature = float(np.ravel(loss.hessian(y[:1], zero[:1]))[0])
    target = -loss.gradient(y, zero) / curvature
    least = np.abs(loss.loss(y, target)).max()
    return (curvature, target.reshape(len(y), -1)) if least <= EXACT * curvature * np.square(target).mean() else None


def _grid(alphas, columns, penalty, caller):
    """The alphas from the largest to the smallest; a ValueError for none."""
    if penalty is None:
        raise ValueError(f"{caller} varies the strength of a penalty, and penalty=None has none; use 'l2' or 'l1'.")
    if isinstance(alphas, int | np.integer) and not isinstance(alphas, bool) and alphas >= 1:
        largest, l1 = max(_largest(column) for column in columns), any(column.l1.any() for column in columns)
        return np.geomspace(largest, SHORTEST[l1] * largest, alphas) if alphas > 1 else np.array([largest])
    try:
        values = np.sort(np.asarray(alphas, dtype=float))[::-1]
    except (TypeError, ValueError):
        values = np.array([np.nan])
    valid = values.ndim == 1 and len(values) > 0 and np.all(np.isfinite(values) & (values >= 0))
    if isinstance(alphas, bool) or not valid:
        raise ValueError(
            f"alphas must be a number of them, an int >= 1, or a sequence of finite floats >= 0; got {alphas!r}."
        )
    return values


def _largest(objective):
    """The least alpha at which an l1 penalty leaves no feature; for others one that leaves next to nothing."""
    null, d = objective.null.params, objective.design.n_features
    slope = objective.with_alpha(0.0).value_gradient(null)[1].reshape(objective.n_outputs, -1)
    if objective.kinked and objective.n_outputs == 1 and objective.fit_intercept:
        # The best constant is at a kink, where the slopes of the rows that sit there balance those of all others.
        tied = np.flatnonzero((objective.kinks.at == null[d]).any(axis=0))
        if len(tied):
            slope = slope - slope[0, d] * np.append(objective.design.dense(tied).mean(axis=0), 1.0)
    slope = np.abs(slope)
    l1, l2 = objective.l1, objective.l2
    if l1.any():
        largest = float((slope / np.where(l1 > 0, l1, np.inf)).max())
    elif l2.any():
        gain = float((slope**2 / (2 * np.where(l2 > 0, l2, np.inf))).sum())
        largest = gain / (WORTH * objective.null.value) if objective.null.value > 0 else 0.0
    else:  # a penalty of another kind
        largest = float(slope.max())
    return largest or 1.0


def _warn(fits, caller, tol):
    """One warning for all fits that did not reach tol."""
    failed = [fit["solution_"] for fit in fits if not fit["solution_"].converged]
    if failed:
        worst = max(failed, key=lambda solution: solution.optimality)
        warnings.warn(
            f"{caller}: {len(failed)} of {len(fits)} fits did not converge; the worst stopped at optimality "
            f"{worst.optimality:.1e}, above tol={tol:g}. Increase max_iter or tol, use larger alphas, or scale the "
            "features.",
            ConvergenceWarning,
            stacklevel=users_level(),
        )


# ------------------------------------------------------------------------------------------- cross-validation
def _scores(model, fits, scorer, X, y, weight):
    """The score of each fit on test rows, (n_alphas,)."""
    if scorer is None:
        return (_accuracy if "classes_" in fits[0] else _r2)(model, fits, X, y, weight)
    given = {} if weight is None else {"sample_weight": weight}
    scores = []
    for fit in fits:
        vars(model).update(fit)
        scores.append(scorer(model, X, y, **given))
    return np.array(scores)


def _raw_predictions(fits, X):
    """Raw predictions of each fit, (n, n_alphas, n_outputs), at once."""
    coef = np.array([np.atleast_2d(fit["coef_"]) for fit in fits])
    raw = X @ coef.reshape(-1, coef.shape[2]).T + np.ravel([fit["intercept_"] for fit in fits])
    return np.asarray(raw).reshape(X.shape[0], *coef.shape[:2])


def _r2(model, fits, X, y, weight):
    """``model.score`` of each fit, (n_alphas,)."""
    y_pred = fits[0]["loss_"].response(_raw_predictions(fits, X))
    y = np.asarray(y, dtype=np.float64).reshape(X.shape[0], 1, -1)
    weight = np.ones(X.shape[0]) if weight is None else np.asarray(weight, dtype=np.float64)
    left = np.einsum("i,iak->ak", weight, (y - y_pred) ** 2)
    total = weight @ ((y - np.average(y, axis=0, weights=weight)) ** 2)[:, 0]
    return (1 - left / total).mean(axis=1)


def _accuracy(model, fits, X, y, weight):
    """``model.score`` of each fit, (n_alphas,)."""
    vars(model).update(fits[0])
    raw, y, shares = _raw_predictions(fits, X), np.asarray(y).ravel(), []
    for column in np.moveaxis(raw, 1, 0):
        index = model._index(model._decision(column if column.shape[1] > 1 else column[:, 0]))
        shares.append(np.average(model.classes_[index] == y, weights=weight))
    return np.array(shares)


def _takes_weights(scorer):
    """Whether a scorer knows weights of rows; one of plain scikit-learn says so by its function."""
    return "sample_weight" in signature(scorer_function(scorer) if is_scorer(scorer) else scorer).parameters


def _rows(values, index):
    """Some rows of an array, a CSR matrix, a data frame, a list or None."""
    if values is None:
        return None
    return values.iloc[index] if hasattr(values, "iloc") else values[index]


def _fold(model, data, penalty, whole, scorer, train, test):
    """The scores on a test part of the path of its training part, from the path of all rows."""
    X, y, weight, sets, scored = data
    problem = model._prepare(*(_rows(values, train) for values in (X, y, weight, sets)))
    same = len(problem.known.get("classes_", ())) == len(whole.fits[0].get("classes_", ()))
    fits = _follow(model, problem, penalty, whole.alphas, "", whole if same else None).fits
    return _scores(model, fits, scorer, *(_rows(values, test) for values in (X, y, weight if scored else None)))


class _CrossValidated(LinearLossModel):
    """What both estimators share; before `LossRegressor` or `LossClassifier` among the bases."""

    _model: ClassVar[type]
    alphas: Any
    l1_ratio: Any
    cv: Any
    scoring: Any
    choice: Any
    n_jobs: Any
    _own: ClassVar[dict[str, list[Any]]] = {
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like", None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "choice": [StrOptions({"best", "one_standard_error"})],
        "n_jobs": [Integral, None],
    }

    @all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None, sample_set=None, groups=None):
        """Choose alpha, and l1_ratio, by cross-validation, and fit the model to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As for the model of one alpha.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in fits and, where the scorer takes them, in scores.
        sample_set : array-like of shape (n_samples,), default=None
            For losses of sets of rows: which rows make one set.  Others ignore it.
        groups : array-like of shape (n_samples,), default=None
            Groups of the rows, for the splitter.

        Returns
        -------
        self
        """
        problem = self._prepare(X, y, sample_weight, sample_set)
        tasks = FitTasks(self, problem.X, problem.y, sample_weight)
        data = (y, sample_weight, sample_set, groups)  # y as it came: of a classifier it holds labels
        data = indexable(*(np.asarray(each) if isinstance(each, list | tuple) else each for each in data))
        self._chosen = self._choose(problem, problem.X, *data)
        self._fit(problem, tasks)
        if problem.solver is not None:
            self.scale_ = self._per_output(np.array(problem.solver.scales))
        tasks.end()
        return self

    def _shape(self):
        return self.__dict__.get("_chosen", (self._valid_penalty(), 1.0))

    def _penalties(self):
        """The penalties to choose from, by l1_ratio."""
        penalty = self._valid_penalty()
        if self.l1_ratio is None:
            return {None: penalty}
        if penalty is None or "l1_ratio" not in penalty.get_params():
            raise ValueError(
                f"l1_ratio={self.l1_ratio!r} needs penalty='elasticnet'; penalty={self.penalty!r} has no l1_ratio."
            )
        ratios = np.unique(np.asarray(self.l1_ratio, dtype=float))[::-1]
        return {float(ratio): clone(penalty).set_params(l1_ratio=float(ratio)).check() for ratio in ratios}

    def _scored_at_once(self, problem, splits):
        """Whether the models of a path are scored together, as ``score`` would one by one: R² where it is defined."""
        raise NotImplementedError

    def _choose(self, problem, X, y, weight, sets, groups):
        """Penalty and alpha of the best score; writes the scores."""
        penalties, caller = self._penalties(), type(self).__name__
        cv = check_cv(self.cv, problem.y, classifier=self._model is LossClassifier)
        splits = [tuple(map(np.asarray, split)) for split in cv.split(X, problem.y, groups)]
        model = self._model().set_params(**{k: v for k, v in self.get_params(deep=False).items() if k not in self._own})
        vars(model).update({name: value for name, value in vars(self).items() if name.endswith("_in_")})

        scorer = check_scoring(model, self.scoring)
        scored = weight is not None and (self.scoring is None or _takes_weights(scorer))
        if self.scoring is None and self._scored_at_once(problem, splits):
            scorer = None
        parts = [train for train, _ in splits]
        squares = _LeastSquares(self, problem, parts) if _LeastSquares.suits(self, problem, parts) else None
        paths, results = {}, []
        for ratio, penalty in penalties.items():
            if squares is not None:
                whole = squares.follow(squares.factors.whole(), penalty, self.alphas, caller)
                rows = [
                    _scores(
                        model, squares.follow(squares.factors.part(k), penalty, whole.alphas, caller, whole).fits,
                        scorer, *(_rows(values, test) for values in (X, y, weight if scored else None)),
                    )
                    for k, (_, test) in enumerate(splits)
                ]  # fmt: skip
            else:
                whole = _follow(self, problem, penalty, self.alphas, caller)
                jobs = (
                    delayed(_fold)(clone(model), (X, y, weight, sets, scored), penalty, whole, scorer, *split)
                    for split in splits
                )
                rows = Parallel(n_jobs=self.n_jobs)(jobs)
            paths[ratio] = whole
            results.append(np.array(rows).T)
        scores = np.array(results)  # (n_ratios, n_alphas, n_folds)
        mixture, at = divmod(int(np.argmax(scores.mean(axis=2))), scores.shape[1])
        ratio = list(penalties)[mixture]
        if self.choice == "one_standard_error":
            at = _simplest(scores[mixture], at)
        chosen = paths[ratio]
        self.alphas_ = chosen.alphas if self.l1_ratio is None else np.array([path.alphas for path in paths.values()])
        self.scores_ = scores[0] if self.l1_ratio is None else scores
        self.alpha_, self.best_score_ = float(chosen.alphas[at]), float(scores[mixture, at].mean())
        if self.l1_ratio is not None:
            self.l1_ratio_ = ratio
        self.path_ = _gathered(chosen, getattr(self, "feature_names_in_", None))
        return penalties[ratio], self.alpha_


def _simplest(scores, best):
    """The largest alpha whose mean score is within one standard error of the best."""
    n_folds = scores.shape[1]
    if n_folds < 2:
        raise ValueError(f"choice='one_standard_error' takes 2 folds or more; cv has {n_folds}.")
    mean = scores.mean(axis=1)
    return int(np.argmax(mean >= mean[best] - scores[best].std(ddof=1) / np.sqrt(n_folds)))


class LossRegressorCV(_CrossValidated, LossRegressor):
    """`LossRegressor` with its alpha, and l1_ratio, chosen by cross-validation.

    It chooses what `GridSearchCV` does over the same alphas and folds, several times as fast: along a path of alphas,
    and from fold to fold, fits have most of their work in common.

    Parameters
    ----------
    loss : str, Loss or callable, default="squared_error"
        As in `LossRegressor`.
    penalty : {"l2", "l1", "elasticnet"} or Penalty, default="l2"
    alphas : int or array-like, default=30
        The strengths to choose from; a number of them is spread as by `loss_path`.
    l1_ratio : float or array-like, default=None
        The mixtures of ``penalty="elasticnet"`` to choose from; None: that of the penalty.
    cv : int, splitter or iterable of splits, default=None
        As in `GridSearchCV`; None for 5 folds.
    scoring : str, callable or None, default=None
        What scores the models: a name, or a scorer, such as `sklloss.loss_scorer` makes of a loss.  None: R².
    choice : {"best", "one_standard_error"}, default="best"
        "one_standard_error": the largest alpha whose mean score is within one standard error of the best.
    fit_intercept : bool, default=True
    scale : {"auto", "mad", "joint"}, float > 0 or None, default="auto"
    bounds : pair (lower, upper), default=None
    non_crossing : {"none", "sort", "constrain"}, default="none"
    solver : str or callable, default="auto"
    tol : float > 0, default=1e-6
    max_iter : int >= 1, default=1000
        These are as in `LossRegressor`.
    n_jobs : int, default=None
        Folds at a time.
    verbose : int, default=0
        Whether to print each iteration of the last fit.

    Attributes
    ----------
    alpha_ : float
        The chosen alpha, with which the model is fitted to all rows.
    l1_ratio_ : float
        The chosen mixture, where there is a choice.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        From the largest to the smallest; mixtures likewise.
    scores_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Greater is better.  Where scores are the same the larger alpha is chosen.
    best_score_ : float
        The mean score of the chosen.
    path_ : LossPath
        The models of all rows, by alpha; see `loss_path`.
    coef_, intercept_, scale_, n_iter_, n_features_in_, feature_names_in_, loss_, solution_
        Those of `LossRegressor`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import LossRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LossRegressorCV("absolute_error", "l1", alphas=[1, 0.01, 0.001]).fit(X, y)
    >>> model.alpha_, model.scores_.shape
    (0.001, (3, 5))
    """

    _model = LossRegressor
    _parameter_constraints = {
        **{name: what for name, what in LossRegressor._parameter_constraints.items() if name not in _FIXED},
        **_CrossValidated._own,
    }

    def __init__(
        self,
        loss="squared_error",
        penalty="l2",
        *,
        alphas=N_ALPHAS,
        l1_ratio=None,
        cv=None,
        scoring=None,
        choice="best",
        fit_intercept=True,
        scale="auto",
        bounds=None,
        non_crossing="none",
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        n_jobs=None,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alphas = alphas
        self.l1_ratio = l1_ratio
        self.cv = cv
        self.scoring = scoring
        self.choice = choice
        self.fit_intercept = fit_intercept
        self.scale = scale
        self.bounds = bounds
        self.non_crossing = non_crossing
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _scored_at_once(self, problem, splits):
        tests = (problem.target[test] for _, test in splits)
        return problem.levels is None and all(len(y) > 1 and np.ptp(y, axis=0).all() for y in tests)


class LossClassifierCV(_CrossValidated, LossClassifier):
    """`LossClassifier` with its alpha, and l1_ratio, chosen by cross-validation.

    It chooses what `GridSearchCV` does over the same alphas and folds, several times as fast: along a path of alphas,
    and from fold to fold, fits have most of their work in common.

    Parameters
    ----------
    loss : str, Loss or callable, default="log_loss"
        As in `LossClassifier`.
    penalty : {"l2", "l1", "elasticnet"} or Penalty, default="l2"
    alphas : int or array-like, default=30
        The strengths to choose from; a number of them is spread as by `loss_path`.
    l1_ratio : float or array-like, default=None
        The mixtures of ``penalty="elasticnet"`` to choose from; None: that of the penalty.
    cv : int, splitter or iterable of splits, default=None
        As in `GridSearchCV`; None for 5 folds, with the shares of the classes.
    scoring : str, callable or None, default=None
        What scores the models: a name, or a scorer, such as `sklloss.loss_scorer` makes of a loss.  None: accuracy.
    choice : {"best", "one_standard_error"}, default="best"
        "one_standard_error": the largest alpha whose mean score is within one standard error of the best.
    fit_intercept : bool, default=True
    bounds : pair (lower, upper), default=None
    class_weight : dict, "balanced" or None, default=None
    solver : str or callable, default="auto"
    tol : float > 0, default=1e-6
    max_iter : int >= 1, default=1000
        These are as in `LossClassifier`.
    n_jobs : int, default=None
        Folds at a time.
    verbose : int, default=0
        Whether to print each iteration of the last fit.

    Attributes
    ----------
    alpha_ : float
        The chosen alpha, with which the model is fitted to all rows.
    l1_ratio_ : float
        The chosen mixture, where there is a choice.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        From the largest to the smallest; mixtures likewise.
    scores_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Greater is better.  Where scores are the same the larger alpha is chosen.
    best_score_ : float
        The mean score of the chosen.
    path_ : LossPath
        The models of all rows, by alpha; see `loss_path`.
    coef_, intercept_, classes_, n_iter_, n_features_in_, feature_names_in_, loss_, solution_
        Those of `LossClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklloss import LossClassifierCV, loss_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LossClassifierCV(alphas=[1, 0.1, 0.01], scoring=loss_scorer("log_loss")).fit(X[:, :4], y)
    >>> model.alpha_
    0.01
    """

    _model = LossClassifier
    _parameter_constraints = {
        **{name: what for name, what in LossClassifier._parameter_constraints.items() if name not in _FIXED},
        **_CrossValidated._own,
    }

    def __init__(
        self,
        loss="log_loss",
        penalty="l2",
        *,
        alphas=N_ALPHAS,
        l1_ratio=None,
        cv=None,
        scoring=None,
        choice="best",
        fit_intercept=True,
        bounds=None,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        n_jobs=None,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alphas = alphas
        self.l1_ratio = l1_ratio
        self.cv = cv
        self.scoring = scoring
        self.choice = choice
        self.fit_intercept = fit_intercept
        self.bounds = bounds
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _scored_at_once(self, problem, splits):
        return np.ndim(problem.y) == 1
