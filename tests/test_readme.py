"""The README runs, and its table of losses is that of the registry.

``python tests/test_readme.py`` writes the table anew.
"""

import re
import subprocess
import sys
import types
from pathlib import Path

from sklloss import get_loss, list_losses

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", flags=re.DOTALL)
TABLE = re.compile(r"(?<=writes this table -->\n).*?(?=<!-- /losses -->)", flags=re.DOTALL)


def losses_table():
    """The losses of this package by kind, with their facts."""
    lines = ["| loss | also | estimates; an outlier; unit | kind | shape |", "|---|---|---|---|---|"]
    for kind in ("regression", "classification"):
        for name in list_losses(kind):
            loss = get_loss(name)
            if type(loss).__module__.startswith("sklloss."):
                also = ", ".join(f"`{alias}`" for alias in loss.aliases)
                shape = ("convex" if loss.convex else "not convex") + (", smooth" if loss.smooth else ", kinks")
                lines.append(f"| `{name}` | {also} | {loss.use} | {kind} | {shape} |")
    return "\n".join(lines) + "\n"


def run_blocks(text, capsys, monkeypatch):
    """Run the Python blocks of a document in order: they print what a comment behind a print, or a text block, says."""
    module = types.ModuleType("readme")  # a module, so that the classes of its blocks can be pickled
    monkeypatch.setitem(sys.modules, "readme", module)
    for block, output in BLOCK.findall(text):
        capsys.readouterr()
        exec(compile(block, "README.md", "exec"), vars(module))
        printed = capsys.readouterr().out
        for said in [*re.findall(r"^print\(.*\)  # (.*)$", block, flags=re.MULTILINE), *output.splitlines()]:
            assert re.search(pattern(said), printed), f"the document says {said!r}, it prints {printed!r}"


def pattern(said):
    """A regular expression for what is said; what depends on rounding is left open as ``...``."""
    return re.escape(said).replace(re.escape("..."), ".*")


def test_the_code_blocks_of_the_readme_run_in_order_and_print_what_they_say(capsys, monkeypatch):
    run_blocks(README.read_text(encoding="utf-8"), capsys, monkeypatch)


def test_the_table_of_losses_is_not_stale():
    assert TABLE.search(README.read_text(encoding="utf-8")).group() == losses_table()


def test_the_first_forty_lines_tell_what_a_user_needs():
    top = "\n".join(README.read_text(encoding="utf-8").splitlines()[:40])
    for needed in ("![", "pip install", "GridSearchCV", "train with", "coming from", "Not here"):
        assert needed in top


def test_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\(([^)#:]+)\)|python (examples/\S+)", README.read_text(encoding="utf-8")):
        assert (ROOT / (path[0] or path[1])).exists()


def test_importing_sklloss_imports_no_optional_package():
    # scikit-learn itself may import pandas where it is installed.
    code = (
        "import sys, sklearn.linear_model, sklearn.metrics; before = set(sys.modules); import sklloss;"
        "print({name.split('.')[0] for name in set(sys.modules) - before} & {'matplotlib', 'pandas'})"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(TABLE.sub(lambda _: losses_table(), text), encoding="utf-8")
