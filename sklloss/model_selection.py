"""Which loss to train with: nested cross-validation of losses, judged by other losses, with paired errors."""

import html
import re
import warnings
from copy import deepcopy
from inspect import signature
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse, stats
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from ._compat import is_scorer, scorer_function, scorer_methods, scorer_options, scorer_sign, users_level, watched
from ._sums import distinct
from .linear_model import LossClassifier, LossRegressor
from .losses import Loss
from .losses._base import get_loss
from .metrics import loss_scorer

__all__ = ["LossComparison", "compare_losses", "one_standard_error"]

LEVEL = 0.05  # of the two-sided test that tells two candidates apart
# How a search says that fits or scores failed; "One or more ... are non-finite" only repeats it.
FAILURE = re.compile(r"\s*(?P<why>Scoring failed|\d+ fits failed)|One or more of the (test|train) scores")
MARKS = {"best": " *", "undecided": " ~", "worse": "  ", "not scored": "  "}


def compare_losses(
    X,
    y,
    losses,
    *,
    estimator=None,
    scoring=None,
    param_grid=None,
    cv=5,
    inner_cv=None,
    groups=None,
    sample_weight=None,
    fit_params=None,
    callbacks=(),
    n_jobs=None,
    verbose=0,
):
    """Compare losses to train with by what the model is judged by, in nested cross-validation.

    For each candidate and outer fold one grid search, inside the training part, scores every metric.  For each metric
    the winner under that metric is refitted on the training part and scored by it on the test part, which neither fit
    nor search has seen.  All candidates see the same folds, so their differences are paired.  A last row, "Dummy", is
    the constant that minimises the metric on the training part; for scorers that are no losses, the mean or the
    frequencies of the classes.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    losses : list or dict
        The candidates: names of `sklloss.list_losses()`, losses, plain functions of ``(y_true, raw_prediction)``; or
        other estimators, which are taken as they are.  The keys of a dict are their labels; in a list a loss is called
        by its name, an estimator by its class, and a second of a name gets ``_2``.
    estimator : estimator, default=None
        A `LossRegressor` or `LossClassifier`, or what holds one, as a pipeline does: the losses are put into it.
        None: one behind a `StandardScaler`.
    scoring : str, Loss, callable, scorer, or a list or dict of these, default=None
        What the models are judged by: losses, as in `losses`, scorers, and scikit-learn's names of scorers.  The keys
        of a dict are labels.  None: the losses of the candidates, fixed as they were passed.
    param_grid : dict or list of dict, or dict of these by candidate, default=None
        As in `GridSearchCV`; parameters of the model that takes the loss need no prefix.  It is for all losses, or for
        the candidates that it names.  Other losses get ``{"alpha": np.logspace(-4, 2, 7)}``, other estimators nothing.
    cv : int, splitter or iterable of splits, default=5
        The outer folds, as in `GridSearchCV`.
    inner_cv : int or splitter, default=None
        The folds of the searches; None for those of `cv`.
    groups : array-like of shape (n_samples,), default=None
        Groups of the rows, for both splitters.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, in every fit and score that takes weights.
    fit_params : dict, default=None
        Other parameters of ``fit``, for the candidates that take them; ``step__name`` for one step of a pipeline.
    callbacks : sequence of callbacks, default=()
        Callbacks of scikit-learn, from 1.9 on, as ``ProgressBar(max_propagation_depth=0)``; a task is a candidate on an
        outer fold.
    n_jobs : int, default=None
        Jobs at a time; a job is a candidate on an outer fold.
    verbose : int, default=0
        That of `joblib.Parallel`.

    Returns
    -------
    LossComparison
        Print it, or see its ``results_``, ``verdicts_``, ``best``, ``plot`` and ``to_frame``.

    Raises
    ------
    ValueError
        For no candidates, unknown losses, losses of regression together with losses of classification, and where
        every candidate fails.

    Warns
    -----
    FitFailedWarning
        Where a candidate fails: its mean is then nan, and the rest goes on.

    Notes
    -----
    The constants of robust losses are meant for residuals of scale 1.  Models are trained with the ``scale="auto"`` of
    `LossRegressor`; as a metric a loss is taken as it was passed, in the unit of y, and no search moves it.

    Training parts overlap, so the standard error is that of Nadeau and Bengio: the variance over the J outer splits
    times ``1 / J + n_test / n_train``.  The paired difference to the best of the column, over its standard error, is
    compared with Student's t of J - 1 degrees of freedom, two-sided at 5 %.  The best was picked on the same folds,
    which flatters it a little.

    References
    ----------
    C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklloss import compare_losses
    >>> X, y = load_diabetes(return_X_y=True)
    >>> comparison = compare_losses(X[:100], y[:100], ["squared_error", "huber"], scoring="absolute_error", cv=3)
    >>> comparison.candidates_
    ['squared_error', 'huber', 'Dummy']
    >>> comparison.best("absolute_error").predict(X[:1]).shape
    (1,)
    """
    X, y, groups, sample_weight = indexable(*map(_array, (X, y, groups, sample_weight)))
    losses = _labelled(losses, "losses", _candidate)
    model_class = _class_of(losses, estimator)
    losses = {label: _loss_for(item, model_class) for label, item in losses.items()}
    metrics = _metrics(scoring, losses, model_class)
    candidates = _candidates(losses, metrics, model_class, estimator, param_grid, sparse.issparse(X))
    outer, inner = _splitters(cv, inner_cv, y, model_class)
    folds = [
        (np.asarray(train), np.asarray(test), _splits(inner, X, y, groups, train))
        for train, test in outer.split(X, y, groups)
    ]
    metadata = {**(fit_params or {}), **({} if sample_weight is None else {"sample_weight": sample_weight})}
    # Weights reach scorers and all steps of a pipeline only where metadata is routed.
    with config_context(**({"enable_metadata_routing": True} if metadata else {})):
        if metadata:
            metrics = {metric: _weighted(scorer) for metric, scorer in metrics.items()}
            candidates = [each._replace(model=_requesting(each.model, metadata)) for each in candidates]
            _check_taken(fit_params or {}, candidates)
        results = Parallel(n_jobs=n_jobs, verbose=verbose, return_as="generator")(
            delayed(_evaluate)(candidate, metrics, X, y, metadata, *fold) for candidate in candidates for fold in folds
        )
        rows = watched(results, len(candidates) * len(folds), callbacks)
        labels = [candidate.label for candidate in candidates]
        signs = {metric: scorer_sign(scorer) for metric, scorer in metrics.items()}
        failures = _failures(labels, rows, len(folds))
        ratio = sum(len(test) for _, test, _ in folds) / sum(len(train) for train, _, _ in folds)
        greater = {metric: sign > 0 for metric, sign in signs.items()}
        comparison = LossComparison(_results(labels, signs, rows, ratio), greater, failures)
        everything = _splits(inner, X, y, groups, np.arange(len(y)))
        for candidate in candidates:
            won = {metric: metrics[metric] for metric, label in comparison.winners_.items() if label == candidate.label}
            comparison.models_.update(_refit(candidate, won, everything, X, y, metadata, n_jobs))
    return comparison


class LossComparison:
    """What `compare_losses` returns: a matrix, trained with by judged by, with errors and verdicts; see there.

    Attributes
    ----------
    results_ : dict of str to ndarray
        One row for each candidate and metric: "candidate", "metric"; "mean_test", "se_test", "mean_train";
        "difference", by how much it is worse than the best of the metric, "se_difference", "p_value"; "verdict":
        "best", "undecided", "worse" or "not scored", and then "error"; for each outer fold i "split{i}_test",
        "split{i}_train" and "split{i}_params", the parameters that the search chose.
    candidates_, metrics_ : list of str
        Labels; the last candidate is the Dummy.
    greater_is_better_ : dict of str to bool
        By metric.  Losses are positive, and lower is better.
    winners_ : dict of str to str
        The best candidate by metric.
    verdicts_ : dict of str to str
        By metric one sentence: what the winner beats, and what these folds can't tell it from.
    failures_ : list of str
        What failed, in which outer folds, and why; also where it was no more than some points of a grid.
    models_ : dict of str to estimator
        The winner of each metric, its parameters searched on all rows, and fitted to them; see `best`.
    """

    def __init__(self, results, greater_is_better, failures):
        self.results_ = results
        self.greater_is_better_ = greater_is_better
        self.failures_ = failures
        self.models_: dict[str, Any] = {}

    @property
    def candidates_(self):
        return list(dict.fromkeys(self.results_["candidate"].tolist()))

    @property
    def metrics_(self):
        return list(self.greater_is_better_)

    @property
    def winners_(self):
        best = self.results_["verdict"] == "best"
        return dict(zip(self.results_["metric"][best].tolist(), self.results_["candidate"][best].tolist(), strict=True))

    @property
    def verdicts_(self):
        return {metric: self._verdict(metric) for metric in self.metrics_}

    def matrix(self, name="mean_test"):
        """An array of ``results_`` as a matrix, (n_candidates, n_metrics)."""
        return self.results_[name].reshape(len(self.candidates_), len(self.metrics_))

    def best(self, metric):
        """The model of the winner by a metric: its parameters searched on all rows, and fitted to them.

        Parameters
        ----------
        metric : str
            One of ``metrics_``.

        Returns
        -------
        estimator
        """
        if metric not in self.models_:
            raise ValueError(f"There is no winner by metric={metric!r}; there are those by {', '.join(self.models_)}.")
        return self.models_[metric]

    def to_frame(self):
        """The results as a pandas data frame, one row for each candidate and metric."""
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame() needs pandas: pip install pandas.  results_ holds the same arrays."
            ) from error
        return pd.DataFrame(self.results_)

    def plot(self, **kwargs):
        """Draw the matrix; see `sklloss.displays.LossComparisonDisplay`.

        Parameters
        ----------
        **kwargs : dict
            Arguments of its ``plot``: ``kind``, ``ax``.

        Returns
        -------
        LossComparisonDisplay
        """
        from .displays import LossComparisonDisplay

        return LossComparisonDisplay.from_comparison(self, **kwargs)

    def formatted(self, name="mean_test"):
        """The same as text, a number of decimals for each metric; "-" where there is no value."""
        columns = []
        for values, means in zip(self.matrix(name).T, self.matrix().T, strict=True):
            size = np.abs(means[np.isfinite(means) & (means != 0)])
            decimals = max(_decimals(size.max(), 4), _decimals(size.min(), 2)) if len(size) else 0
            columns.append([f"{value:,.{decimals}f}" if np.isfinite(value) else "-" for value in values])
        return np.array(columns).T

    def __repr__(self):
        table = self._table()
        widths = [max(map(len, column)) for column in table.T]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in table.tolist()
        ]
        return "\n".join([*self._heading(), "", *lines, "", *self._sentences()])

    def _repr_html_(self):
        head, *rows = [[html.escape(cell) for cell in row] for row in self._table().tolist()]
        names = "".join(f"<th>{name}</th>" for name in head)
        body = "".join(f"<tr><th>{row[0]}</th>{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>" for row in rows)
        heading, sentences = ("<br>".join(map(html.escape, part)) for part in (self._heading(), self._sentences()))
        return f"<p>{heading}</p><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table><p>{sentences}</p>"

    def _heading(self):
        n_splits = sum(name.endswith("_params") for name in self.results_)
        higher = [metric for metric, greater in self.greater_is_better_.items() if greater]
        return [
            f"Nested cross-validation, {n_splits} outer folds: test mean ± standard error (training mean).",
            f"Lower is better{', but for ' + ', '.join(higher) + ' higher' if higher else ''}; * best of its column, "
            "~ these folds can't tell it from the best.",
        ]

    def _table(self):
        """Text of head and rows, (1 + n_candidates, 1 + n_metrics)."""
        parts = (self.formatted(name) for name in ("mean_test", "se_test", "mean_train"))
        marks = self.matrix("verdict")
        cells = [
            [
                f"{mean} ± {se} ({train}){MARKS[mark]}" if mean != "-" else "-  "
                for mean, se, train, mark in zip(*row, strict=True)
            ]
            for row in zip(*parts, marks, strict=True)
        ]
        return np.column_stack(
            [["trained with", *self.candidates_], [[f"{metric}  " for metric in self.metrics_], *cells]]
        )

    def _sentences(self):
        rows = self.results_
        lost = rows["verdict"] == "not scored"
        missing = zip(rows["candidate"][lost], rows["metric"][lost], rows["error"][lost], strict=True)
        return [
            *(f"{metric}: {verdict}" for metric, verdict in self.verdicts_.items()),
            *(f"{candidate} is not scored by {metric}: {error}." for candidate, metric, error in missing),
        ]

    def _verdict(self, metric):
        rows = {name: values[self.results_["metric"] == metric] for name, values in self.results_.items()}
        if metric not in self.winners_:
            return "no candidate is scored."
        margins = [
            f"{label} by {_plus_minus(difference, se)}"
            for label, difference, se in zip(
                *(rows[k][rows["verdict"] == "worse"] for k in ("candidate", "difference", "se_difference")),
                strict=True,
            )
        ]
        alike = rows["candidate"][rows["verdict"] == "undecided"].tolist()
        winner = self.winners_[metric]
        first = f"{winner} beats {_listed(margins)}" if margins else f"{winner} is best"
        return f"{first}; these folds can't tell it from {_listed(alike, 'or')}." if alike else f"{first}."


def one_standard_error(cv_results, *, parameter="alpha", metric="score"):
    """Choose the simplest model within one standard error of the best: ``GridSearchCV(refit=one_standard_error)``.

    Simplest is the largest value of the parameter.  The other parameters stay those of the best.

    Parameters
    ----------
    cv_results : dict
        The ``cv_results_`` of a search.
    parameter : str, default="alpha"
        What makes a model simpler; without the prefixes of a pipeline.  Set it, or `metric`, by `functools.partial`.
    metric : str, default="score"
        Which score of a multimetric search.

    Returns
    -------
    int
        Index of the chosen candidate, for ``best_index_``.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd edition, section 7.10, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklloss import LossRegressor
    >>> from sklloss.model_selection import one_standard_error
    >>> grid = {"alpha": np.logspace(-4, 0, 9)}
    >>> search = GridSearchCV(LossRegressor(), grid, refit=one_standard_error).fit(*load_diabetes(return_X_y=True))
    >>> search.best_params_
    {'alpha': ...}
    """
    params = cv_results["params"]
    names = {name for point in params for name in point if name.split("__")[-1] == parameter}
    if len(names) != 1:
        raise ValueError(
            f"parameter={parameter!r} must be the end of one parameter of the search; it is that of {sorted(names)}, "
            f"the search is over {sorted(set().union(*params))}."
        )
    name = names.pop()
    keys = [key for key in cv_results if key.startswith("split") and key.endswith(f"_test_{metric}")]
    if len(keys) < 2:
        raise ValueError(f"One standard error takes 2 splits or more; by metric={metric!r} the search has {len(keys)}.")
    scores = np.array([cv_results[key] for key in keys])
    mean = cv_results[f"mean_test_{metric}"]
    best = int(np.nanargmax(mean))
    enough = mean[best] - scores[:, best].std(ddof=1) / np.sqrt(len(keys))
    others = {key: value for key, value in params[best].items() if key != name}
    within = [
        i for i, point in enumerate(params)
        if mean[i] >= enough and {key: value for key, value in point.items() if key != name} == others
    ]  # fmt: skip
    return max(within, key=lambda i: params[i][name])


# ---------------------------------------------------------------------------------------------- what is compared
class _Candidate(NamedTuple):
    label: str
    model: Any
    grids: list[dict[str, Any]]
    fixed: dict[str, int] | None = None  # by metric the point of the grid that needs no search


class _Cell(NamedTuple):
    """One candidate by one metric on one outer fold; scores as scikit-learn's, greater is better."""

    test: float
    train: float
    params: dict[str, Any] | None
    error: str


def _labelled(items, what, read):
    """{label: item} of a dict, or of a list of items, of which `read` makes a (label, item) pair."""
    if not isinstance(items, dict):
        pairs = [read(item) for item in (items if isinstance(items, list | tuple) else [items])]
        items = dict(zip(distinct([label for label, _ in pairs]), [item for _, item in pairs], strict=True))
    else:
        items = {str(label): read(item)[1] for label, item in items.items()}
    if not items:
        raise ValueError(f"{what} is empty; pass at least one, such as 'absolute_error'; see sklloss.list_losses().")
    return items


def _is_estimator(item):
    return hasattr(item, "fit") and not isinstance(item, type)


def _candidate(item):
    return (type(item).__name__, item) if _is_estimator(item) else (get_loss(item).label, item)


def _class_of(losses, estimator):
    """LossRegressor or LossClassifier, whichever fits all candidates."""
    kinds: dict[bool, list[str]] = {True: [], False: []}  # by whether it is of regression; a plain function may be both
    for label, item in losses.items():
        if _is_estimator(item):
            if is_regressor(item) == is_classifier(item):
                raise ValueError(f"The candidate {label!r} is neither a regressor nor a classifier: {item!r}.")
            kinds[is_regressor(item)].append(label)
        elif isinstance(item, str | Loss):
            kinds[get_loss(item).response_method == "predict"].append(label)
    if estimator is not None:
        kinds[is_regressor(_holder(estimator)[1])].append("estimator")
    if kinds[True] and kinds[False]:
        raise ValueError(
            f"A comparison is of regression or of classification, but it has {_listed(kinds[True])} of the one kind "
            f"and {_listed(kinds[False])} of the other; make two."
        )
    return LossClassifier if kinds[False] else LossRegressor


def _loss_for(item, model_class):
    """The loss as an object; an estimator as it is."""
    if _is_estimator(item):
        return item
    plain = model_class is LossClassifier and not isinstance(item, str | Loss)
    return get_loss(item, **({"response_method": "decision_function"} if plain else {})).check()


def _holder(estimator):
    """Prefix of the parameters of the LossRegressor or LossClassifier that an estimator is or holds, and this model."""
    ours = {"": estimator, **{f"{name}__": value for name, value in estimator.get_params().items()}}
    ours = {prefix: model for prefix, model in ours.items() if isinstance(model, LossRegressor | LossClassifier)}
    if len(ours) != 1:
        raise ValueError(
            f"estimator must be, or hold, one LossRegressor or LossClassifier; it holds {len(ours)}: {estimator!r}. "
            "Other estimators are candidates: losses=[..., HuberRegressor()]."
        )
    return next(iter(ours.items()))


def _metrics(scoring, losses, model_class):
    """{label: scorer}."""
    if scoring is None:
        scoring = {label: loss for label, loss in losses.items() if isinstance(loss, Loss)}
        if not scoring:
            raise ValueError("scoring=None judges by the losses of the candidates, and these have none; pass scoring.")
    return _labelled(scoring, "scoring", lambda item: _metric(item, model_class))


def _metric(item, model_class):
    """Label and scorer of a loss, a scorer, or the name of one."""
    if isinstance(item, str) and item in get_scorer_names():
        return item.removeprefix("neg_"), get_scorer(item)
    if is_scorer(item):
        loss = scorer_options(item).get("loss") if scorer_sign(item) < 0 else None
        function = scorer_function(item)
        return getattr(function, "__name__", type(function).__name__) if loss is None else get_loss(loss).label, item
    if _is_estimator(item):
        raise ValueError(f"scoring={item!r} is an estimator; estimators are candidates, losses=[..., {item!r}].")
    loss = _loss_for(item, model_class)
    if (loss.response_method == "predict") != (model_class is LossRegressor):
        raise ValueError(f"scoring={item!r} does not judge the predictions of a {model_class.__name__}.")
    return loss.label, loss_scorer(loss)


def _candidates(losses, metrics, model_class, estimator, param_grid, is_sparse):
    """The candidates with their grids, and the Dummy."""
    if estimator is None:
        estimator = make_pipeline(StandardScaler(with_mean=not is_sparse), model_class())
    prefix = _holder(estimator)[0]
    named = isinstance(param_grid, dict) and not param_grid.keys().isdisjoint(losses)
    if named and not param_grid.keys() <= losses.keys():
        raise ValueError(
            f"param_grid names {sorted(param_grid.keys() - losses.keys())}, the candidates are {list(losses)}."
        )
    candidates = []
    for label, item in losses.items():
        ours = isinstance(item, Loss)
        model = clone(estimator).set_params(**{f"{prefix}loss": item}) if ours else clone(item)
        grid = param_grid.get(label) if named else param_grid if ours else None
        if grid is None:
            grid = {"alpha": np.logspace(-4, 2, 7).tolist()} if ours else {}
        grids = [
            _prefixed(part, model, prefix if ours else "") for part in ([grid] if isinstance(grid, dict) else grid)
        ]
        for point in ParameterGrid(grids):
            _at(model, point)  # raises for a parameter that there is not, before anything is fitted
        candidates.append(_Candidate(label, model, grids))
    constant = LossClassifier() if model_class is LossClassifier else LossRegressor(scale=None)  # judged in units of y
    dummy = make_pipeline(FunctionTransformer(_no_features), constant)
    judges = [scorer_options(scorer).get("loss", constant.loss) for scorer in metrics.values()]
    grid = {f"{dummy.steps[-1][0]}__loss": judges}
    fixed = {metric: index for index, metric in enumerate(metrics)}
    return [*candidates, _Candidate(distinct([*losses, "Dummy"])[-1], dummy, [grid], fixed)]


def _prefixed(grid, model, prefix):
    """A grid whose names without a prefix get that of the model that takes the loss."""
    known = model.get_params()
    return {name if name.partition("__")[0] in known else prefix + name: values for name, values in grid.items()}


def _no_features(X):
    return np.zeros((X.shape[0], 1))


# ----------------------------------------------------------------------------------------------------- the folds
def _array(values):
    return values if values is None or hasattr(values, "shape") else np.asarray(values)


def _rows(values, rows):
    return None if values is None else values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def _splitters(cv, inner_cv, y, model_class):
    if inner_cv is None:
        if not isinstance(cv, Integral) and not hasattr(cv, "split"):
            raise ValueError("cv is a list of splits, which can't split its own training parts; pass inner_cv.")
        inner_cv = cv
    return [check_cv(each, y, classifier=model_class is LossClassifier) for each in (cv, inner_cv)]


def _splits(splitter, X, y, groups, rows):
    """Splits of some rows, as indices of all rows."""
    rows = np.asarray(rows)
    parts = splitter.split(*(_rows(values, rows) for values in (X, y, groups)))
    return [(rows[train], rows[test]) for train, test in parts]


# ------------------------------------------------------------------------------------------------------ metadata
def _weighted(scorer):
    """A copy of the scorer that asks for sample_weight, if its function takes it and nothing is said yet."""
    scorer = deepcopy(scorer)
    takes = "sample_weight" in signature(scorer_function(scorer)).parameters
    if takes and get_routing_for_object(scorer).score.requests.get("sample_weight") is None:
        scorer.set_score_request(sample_weight=True)
    return scorer


def _requesting(model, metadata):
    """A copy of the model whose steps ask for the metadata they take, where nothing is said yet."""
    model = clone(model)
    for path, step in {"": model, **model.get_params()}.items():
        if not hasattr(step, "set_fit_request"):
            continue
        requests = getattr(getattr(get_routing_for_object(step), "fit", None), "requests", {})
        asked = {name: True for name in metadata if requests.get(name, False) is None}
        own = {name: name.removeprefix(f"{path}__") for name in metadata if name.startswith(f"{path}__")}
        step.set_fit_request(**asked, **{parameter: name for name, parameter in own.items() if parameter in requests})
    return model


def _taken(owner, metadata):
    """The part of the metadata that a model, or a search, takes in its fit."""
    names = get_routing_for_object(owner).consumes("fit", list(metadata)) if metadata else ()
    return {name: metadata[name] for name in names}


def _check_taken(metadata, candidates):
    """Raise for a parameter of fit that is a slip of the pen."""
    unknown = set(metadata).difference(*(_taken(candidate.model, metadata) for candidate in candidates))
    if unknown:
        raise ValueError(f"fit_params has {sorted(unknown)}, which no candidate takes.")


# -------------------------------------------------------------------------------------------------- the searches
def _at(model, point):
    """A copy of the model with the parameters of a point of its grid."""
    return clone(model).set_params(**clone(point, safe=False))


def _search(model, grids, metrics, cv, X, y, metadata, **options):
    """The ``cv_results_`` of a grid search, {} if every fit failed, and why fits and scores failed."""
    search = GridSearchCV(model, grids, scoring=metrics, refit=False, cv=cv, **options)
    reasons = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=FAILURE.pattern)
        try:
            search.fit(X, y, **_taken(search, metadata))
        except ValueError as error:
            if "fits failed" not in str(error):
                raise
            reasons.append(_last_line(error))
    for warning in caught:
        found = FAILURE.match(str(warning.message))
        if not found:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif found["why"]:
            reasons.append(_last_line(warning.message))
    return getattr(search, "cv_results_", {}), reasons


def _last_line(message):
    """Of a message that ends in a traceback, the error."""
    return str(message).strip().splitlines()[-1]


def _choose(candidate, points, metrics, splits, X, y, metadata, n_jobs=None):
    """{metric: index of its winner among the points of the grid}, and why fits and scores failed."""
    if candidate.fixed or len(points) == 1 or not metrics:
        return {metric: (candidate.fixed or {}).get(metric, 0) for metric in metrics}, []
    results, reasons = _search(candidate.model, candidate.grids, metrics, splits, X, y, metadata, n_jobs=n_jobs)
    scored = [metric for metric in metrics if results and not np.isnan(results[f"mean_test_{metric}"]).all()]
    return {metric: int(results[f"rank_test_{metric}"].argmin()) for metric in scored}, reasons


def _evaluate(candidate, metrics, X, y, metadata, train, test, inner):
    """One candidate on one outer fold: for each metric a _Cell; and why fits and scores failed."""
    points = list(ParameterGrid(candidate.grids))
    lacks = {metric: _lacks(candidate.model, scorer) for metric, scorer in metrics.items()}
    able = {metric: scorer for metric, scorer in metrics.items() if not lacks[metric]}
    winners, reasons = _choose(candidate, points, able, inner, X, y, metadata)
    scores: dict[str, Any] = {}
    for index in sorted(set(winners.values())):  # winners that are equal are fitted once
        won = {metric: able[metric] for metric, winner in winners.items() if winner == index}
        point = [{name: [value] for name, value in points[index].items()}]
        results, more = _search(candidate.model, point, won, [(train, test)], X, y, metadata, return_train_score=True)
        reasons += more
        for metric in won if results else ():
            test_score, train_score = (float(results[f"split0_{part}_{metric}"][0]) for part in ("test", "train"))
            scores[metric] = test_score, train_score, points[index]
    reasons = list(dict.fromkeys(reasons))
    cells = []
    for metric in metrics:
        test_score, train_score, params = scores.get(metric, (np.nan, np.nan, None))
        error = "" if np.isfinite(test_score) else lacks[metric] or "; ".join(reasons)
        cells.append(_Cell(test_score, train_score, params, error))
    return cells, reasons


def _lacks(model, scorer):
    """Why a scorer can't score a model, in words; "" if it can."""
    methods = scorer_methods(scorer)
    return "" if any(hasattr(model, name) for name in methods) else f"it has no {' or '.join(methods)}"


def _refit(candidate, metrics, splits, X, y, metadata, n_jobs):
    """{metric: the model with the parameters that win on all rows, fitted to them}."""
    points = list(ParameterGrid(candidate.grids))
    winners, _ = _choose(candidate, points, metrics, splits, X, y, metadata, n_jobs)
    models = {index: _at(candidate.model, points[index]) for index in set(winners.values())}
    for model in models.values():
        model.fit(X, y, **_taken(model, metadata))
    return {metric: models[index] for metric, index in winners.items()}


# ---------------------------------------------------------------------------------------- statistics and words
def _results(labels, signs, rows, ratio):
    """The ``results_`` of a comparison; `ratio` is the number of test rows over that of training rows."""
    shape = (len(labels), len(rows) // len(labels), len(signs))

    def gathered(name, dtype):  # (n_candidates, n_metrics, n_splits)
        values = np.array([[getattr(cell, name) for cell in cells] for cells, _ in rows], dtype=dtype)
        return values.reshape(shape).swapaxes(1, 2)

    columns = np.arange(len(signs))
    sign = np.array(list(signs.values()), dtype=float)[:, None]
    score, train = gathered("test", float), gathered("train", float)
    scored = np.isfinite(score).all(axis=2)
    mean = score.mean(axis=2)
    best = np.where(scored, mean, -np.inf).argmax(axis=0)
    with np.errstate(invalid="ignore"):  # inf - inf, where a candidate is not scored
        difference = score[best, columns] - score
    p_value = _p_value(difference, ratio)
    verdict = np.where(scored, np.where(p_value < LEVEL, "worse", "undecided"), "not scored")
    verdict[best, columns] = np.where(scored[best, columns], "best", "not scored")
    errors = ["; ".join(dict.fromkeys(filter(None, cell))) for column in gathered("error", object) for cell in column]
    results = {
        "candidate": np.repeat(np.array(labels, dtype=object), len(signs)),
        "metric": np.tile(np.array(list(signs), dtype=object), len(labels)),
        "mean_test": sign[:, 0] * mean,
        "se_test": _standard_error(score, ratio),
        "mean_train": sign[:, 0] * train.mean(axis=2),
        "difference": difference.mean(axis=2),
        "se_difference": _standard_error(difference, ratio),
        "p_value": p_value,
        "verdict": verdict,
        "error": np.array(errors, dtype=object),
    }
    parts = {"test": sign * score, "train": sign * train, "params": gathered("params", object)}
    for i in range(shape[1]):
        results.update({f"split{i}_{name}": values[:, :, i] for name, values in parts.items()})
    return {name: values.ravel() for name, values in results.items()}


def _standard_error(values, ratio):
    """Corrected standard error of the mean over the last axis, the outer splits; nan for a single split."""
    n_splits = values.shape[-1]
    if n_splits < 2:
        return np.full(values.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):  # of a candidate that is not scored
        return np.sqrt(values.var(axis=-1, ddof=1) * (1 / n_splits + ratio))


def _p_value(difference, ratio):
    """Two-sided p-value of the corrected resampled t-test; differences that are all equal leave no doubt."""
    mean, error = difference.mean(axis=-1), _standard_error(difference, ratio)
    t = np.divide(mean, error, out=np.where(mean == 0, 0.0, np.inf), where=error > 0)
    return np.where(np.isnan(error), np.nan, 2 * stats.t.sf(np.abs(t), difference.shape[-1] - 1))


def _failures(labels, rows, n_splits):
    """A sentence for each candidate and reason; a ValueError where no candidate but the Dummy could be scored."""
    folds: dict[tuple[str, str], list[int]] = {}
    for i, (_, reasons) in enumerate(rows):
        for reason in reasons:
            folds.setdefault((labels[i // n_splits], reason), []).append(i % n_splits)
    failures = [f"{label}, outer fold {_listed(map(str, where))}: {reason}" for (label, reason), where in folds.items()]
    scored = any(np.isfinite(cell.test) for cells, _ in rows[:-n_splits] for cell in cells)
    if not scored:
        lacks = dict.fromkeys(
            f"{labels[i // n_splits]}: {cell.error}" for i, (cells, _) in enumerate(rows[:-n_splits]) for cell in cells
        )
        raise ValueError("No candidate could be scored.\n" + "\n".join(failures or lacks))
    if failures:
        warnings.warn("Some fits or scores failed.\n" + "\n".join(failures), FitFailedWarning, stacklevel=users_level())
    return failures


def _decimals(size, digits):
    """Decimals with which a positive number of that size shows so many digits."""
    return max(0, digits - 1 - int(np.floor(np.log10(size))))


def _plus_minus(value, error):
    decimals = _decimals(error, 2) if error > 0 else _decimals(abs(value), 3)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _listed(words, conjunction="and"):
    """a, b and c."""
    *words, last = words
    return f"{', '.join(words)} {conjunction} {last}" if words else last
