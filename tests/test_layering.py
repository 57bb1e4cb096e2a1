"""The layers import downwards only, and the public API is what it says."""

import ast
from pathlib import Path

import pytest
from sklearn.metrics import make_scorer

import sklloss
import sklloss.losses

PACKAGE = Path(sklloss.__file__).parent
LOW = {"_compat", "_sums", "links"}
ALLOWED = {
    "_compat": set(),
    "links": set(),
    "_sums": set(),
    "_norms": {"_compat"},
    "losses": {"_norms", *LOW},
    "penalties": {"_compat", "_norms", "_sums"},
    "_design": set(),
    "_objective": {"_design", "losses._base", "penalties"},
    "solvers": {"_compat", "_objective"},
    "metrics": {"losses", *LOW},
    "_scale": {"losses", "solvers"},
    "linear_model": {"losses", "penalties", "_objective", "_scale", "solvers", *LOW},
    "_factor": set(),
    "path": {"losses", "linear_model", "_factor", "solvers", *LOW},
    "displays": {"_sums", "losses", "metrics"},
    "model_selection": {"losses", "metrics", "linear_model", "displays", *LOW},
    "testing": {"losses", "penalties", "_objective", "solvers", "metrics", "linear_model", *LOW},
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imports(path):
    """Modules of the package that a file imports, as dotted names relative to the package."""
    here = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (".".join([*base, name]) for name in names)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "sklloss" for name in modules), f"{path} imports itself absolutely"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_file_imports_lower_layers_only(path):
    layer = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        assert top == layer or top in ALLOWED[layer] or name in ALLOWED[layer], f"{path.name} imports {name}"


def test_only_compat_touches_private_names_of_scikit_learn():
    for path in FILES:
        if path.name == "_compat.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn"):
                private = [part for part in node.module.split(".") if part.startswith("_")]
                private += [alias.name for alias in node.names if alias.name.startswith("_")]
                assert not private, f"{path.name} imports {private} from {node.module}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in vars(make_scorer(len)), f"{path.name} reads {node.attr} of a scorer"


def test_all_names_what_can_be_imported():
    for module in (sklloss, sklloss.losses):
        for name in module.__all__:
            assert hasattr(module, name)
