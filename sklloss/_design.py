"""X as the objective sees it: row blocks that fit in cache, columns centred and scaled without a copy of X."""

from copy import copy
from functools import cached_property

import numpy as np
from scipy import sparse

__all__ = ["Design", "GramSums"]

OWN = "origin", "gram", "by_columns", "_views"  # what a design computes once, and another may not inherit
BLOCK_BYTES = 1 << 21  # measured: smaller blocks cost calls, larger ones leave the caches
MOST_ROWS = 1 << 14  # of a block, so that the temporaries of its rows stay there
TOGETHER = 1e6  # numbers up to which several Gram matrices are one batch: it saves calls, and costs memory
FAR = 30.0  # a centre this many spreads from 0 is subtracted in each block, before digits are lost


class Design:
    """A dense or CSR matrix, restricted to some rows, seen in row blocks of float64.

    With ``x`` a row of X, the *standardised* row is ``(x - centre) * inverse``: weighted mean 0 (where there is an
    intercept to take up the centre) and weighted norm 1; ``inverse`` is 0 for a constant column, whose coefficient is
    therefore 0.  Nothing is copied but, in cache, a block: where it is float32, where rows are left out, or where
    ``shift`` is subtracted because a column lies many spreads from 0 (time stamps).

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, n_features)
    weight : ndarray of shape (n_rows,)
        Weights of the rows in use, which sum to 1.
    rows : ndarray of shape (n_rows,), default=None
        Indices of the rows in use; None for all.
    centred : bool
        Whether the columns are centred.
    """

    def __init__(self, X, weight, rows=None, *, centred=True):
        self.sparse = sparse.issparse(X)
        if self.sparse and not X.has_canonical_format:  # SciPy would sum duplicates in place, and X is the user's
            X = X.copy()
            X.sum_duplicates()
        self.X, self.weight, self.rows = X, weight, rows
        self.n_rows, self.n_features = len(weight), X.shape[1]
        self.block = _block(X)
        self.shift = None
        self.step = 1  # without `rows`, one row in so many is in use
        self.n_passes = 0  # how often the whole of X was read
        self._standardise(centred)

    def index(self, start, stop):
        """Which rows of X are rows start to stop of the design."""
        if self.rows is None:
            return slice(start * self.step, stop * self.step, self.step)
        return self.rows[start:stop]

    def take(self, index):
        """Rows of X as float64, shifted."""
        block = self.X[index]
        if block.dtype != np.float64:
            block = block.astype(np.float64)
        return block if self.shift is None else block - self.shift

    def blocks(self):
        """Yield (slice of the design's rows, those rows of X as float64, shifted)."""
        self.n_passes += 1
        for i, rows in enumerate(self._bounds()):
            yield rows, self._views[i] if self._views else self.take(self.index(rows.start, rows.stop))

    def _bounds(self):
        """The rows of each block."""
        return (slice(at, min(at + self.block, self.n_rows)) for at in range(0, self.n_rows, self.block))

    @cached_property
    def _views(self):
        """The blocks of a CSR matrix that need no copy, as a list; None where they do."""
        X = self.X
        if not self.sparse or X.dtype != np.float64 or self.rows is not None or self.step > 1:
            return None
        views = []
        for rows in self._bounds():
            start, stop = X.indptr[[rows.start, rows.stop]]
            view = type(X)((rows.stop - rows.start, X.shape[1]), dtype=X.dtype)
            # The constructor would copy what is a small part of an array.
            view.data, view.indices = X.data[start:stop], X.indices[start:stop]
            view.indptr = X.indptr[rows.start : rows.stop + 1] - start
            views.append(view)
        return views

    @np.errstate(over="ignore")  # of the square of a huge value
    def _standardise(self, centred):
        """Weighted mean and spread of every column, in one pass around a provisional centre."""
        d = self.n_features
        provisional = np.zeros(d)
        if centred and not self.sparse:
            provisional = self.take(self.index(0, min(self.block, self.n_rows))).mean(axis=0)
        mean, square = np.zeros(d), np.zeros(d)
        for rows, block in self.blocks():
            weight = self.weight[rows]
            if self.sparse:
                mean += block.T @ weight
                square += block.power(2).T @ weight
            else:
                block = block - provisional
                mean += weight @ block
                square += np.einsum("i,ij,ij->j", weight, block, block)
        if not centred:
            mean = np.zeros(d)
        centre = provisional + mean
        spread = np.sqrt(np.maximum(square - mean * mean, 0))
        # How well the spread is known: to the rounding of the values, and of the square of the mean around which
        # it was taken.  Below that the column is constant.
        resolution = 4 * np.finfo(float).eps * np.abs(centre) + 3e-8 * np.abs(mean)
        doubtful = np.flatnonzero((spread > 0) & (spread <= 1e3 * resolution))
        if doubtful.size and not self.sparse:
            square = np.zeros(doubtful.size)
            for rows, block in self.blocks():
                block = block[:, doubtful] - centre[doubtful]
                square += np.einsum("i,ij,ij->j", self.weight[rows], block, block)
            spread[doubtful] = np.sqrt(square)
            resolution = 4 * np.finfo(float).eps * np.abs(centre)
        varies = spread > resolution
        self.inverse = np.divide(1.0, spread, out=np.zeros(d), where=varies)
        self.spread = np.where(varies, spread, 0.0)
        if not self.sparse and centred and np.any(np.abs(centre) > FAR * spread):
            self.shift = centre
            self.centre = np.zeros(d)
        else:
            self.centre = centre if centred else np.zeros(d)

    # ------------------------------------------------------------------ products with the standardised matrix
    def forward(self, coef):
        """Standardised X times coef: (n_rows,) for (n_features,), (n_rows, K) for (n_features, K)."""
        scaled = self.inverse * coef if coef.ndim == 1 else self.inverse[:, None] * coef
        constant = self.centre @ scaled
        out = np.empty((self.n_rows, *coef.shape[1:]))
        for rows, block in self.blocks():
            out[rows] = block @ scaled - constant
        return out

    def dense(self, index):
        """Standardised rows, an ndarray of shape (len(index), n_features)."""
        block = self.take(index * self.step if self.rows is None else self.rows[index])
        return ((block.toarray() if self.sparse else block) - self.centre) * self.inverse

    def sums(self, groups):
        """Weighted sums of standardised rows: groups (G, n_rows) times the standardised X, (G, n_features)."""
        out = np.zeros((len(groups), self.n_features))
        for rows, block in self.blocks():
            out += (block.T @ groups[:, rows].T).T
        return (out - groups.sum(axis=1)[:, None] * self.centre) * self.inverse

    @cached_property
    def origin(self):
        """What coefficients of the raw columns subtract from the intercept: centre and shift together."""
        return self.centre if self.shift is None else self.centre + self.shift

    @cached_property
    def gram(self):
        """Weighted Gram matrix of the standardised columns and a column of ones, (n_features + 1,) * 2."""
        sums = GramSums(self, 1)
        for rows, block in self.blocks():
            sums.add(block, [self.weight[rows]])
        return sums.standardised()[0]

    def only(self, keep):
        """The design of the rows at these positions, standardised as this one; their weights sum to 1 again."""
        sub = self._of_rows(keep)
        sub.rows = keep * self.step if self.rows is None else self.rows[keep]
        return sub

    def every(self, step):
        """The design of every step-th row, likewise; of a dense X its blocks are views."""
        sub = self._of_rows(slice(None, None, step))
        if self.rows is None:
            sub.step = step * self.step
        else:
            sub.rows = self.rows[::step]
        return sub

    def _of_rows(self, keep):
        sub = object.__new__(Design)
        sub.__dict__.update({k: v for k, v in vars(self).items() if k not in OWN})
        sub.weight = self.weight[keep] / self.weight[keep].sum()
        sub.n_rows = len(sub.weight)
        return sub

    def in_one_block(self):
        """The same design, seen as one block of all rows."""
        whole = copy(self)
        whole.__dict__.pop("_views", None)
        whole.block = self.n_rows
        return whole

    def columns(self, index):
        """The design of some columns, a copy of them, standardised as here."""
        part = object.__new__(Design)
        part.__dict__.update({k: v for k, v in vars(self).items() if k not in OWN})
        part.X = self.by_columns[:, index]
        part.X = part.X.tocsr() if self.sparse else np.ascontiguousarray(part.X)
        part.block, part.n_features, part.n_passes = _block(part.X), len(index), 0
        part.inverse, part.spread, part.centre = self.inverse[index], self.spread[index], self.centre[index]
        part.shift = None if self.shift is None else self.shift[index]
        return part

    @cached_property
    def by_columns(self):
        """X in a form from which columns are taken fast."""
        return self.X.tocsc() if self.sparse else self.X


def _block(X):
    """Rows of a block."""
    per_row = X.nnz / max(1, X.shape[0]) if sparse.issparse(X) else X.shape[1]
    return max(256, int(min(MOST_ROWS, BLOCK_BYTES / (8 * max(1.0, per_row)))))


class GramSums:
    """Sums over row blocks of block' diag(h) block, for several h at once, bordered by a column of ones."""

    def __init__(self, design, n_sums):
        self.design = design
        self.gram = np.zeros((n_sums, design.n_features, design.n_features))
        self.border = np.zeros((n_sums, design.n_features))
        self.corner = np.zeros(n_sums)

    def add(self, block, weights):
        weights = np.array(list(weights))
        self.border += (block.T @ weights.T).T
        self.corner += weights.sum(axis=1)
        if len(weights) > 1 and isinstance(block, np.ndarray) and weights.size * block.shape[1] <= TOGETHER:
            self.gram += (block.T * weights[:, None, :]) @ block
            return
        for i, h in enumerate(weights):
            self.gram[i] += _gram(block, h)

    def standardised(self):
        """The sums for standardised columns, the ones last: (n_sums, n_features + 1, n_features + 1)."""
        d, c, inverse = self.design.n_features, self.design.centre, self.design.inverse
        out = np.empty((len(self.gram), d + 1, d + 1))
        shift = (self.border - 0.5 * self.corner[:, None] * c)[:, :, None] * c
        out[:, :d, :d] = (self.gram - shift - shift.transpose(0, 2, 1)) * (inverse[:, None] * inverse)
        out[:, d, :d] = out[:, :d, d] = (self.border - self.corner[:, None] * c) * inverse
        out[:, d, d] = self.corner
        return out


def _gram(block, h):
    """block' diag(h) block as an ndarray."""
    if not isinstance(block, np.ndarray):
        return (block.multiply(h[:, None]).T @ block).toarray()
    if h.min(initial=0.0) >= 0:
        root = block * np.sqrt(h)[:, None]
        return root.T @ root  # NumPy sees the symmetry and does half the work
    return (block * h[:, None]).T @ block
