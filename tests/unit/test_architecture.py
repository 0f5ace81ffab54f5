"""The map and the walk hold, and the contracts that hold them can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[2]
WALK = (
    "audit",
    "staff",
    "reports",
    "evidence",
    "matching",
    "tracing",
    "cases",
    "notices",
    "appeals",
    "transparency",
)
# One import that breaks each contract: file, line, the contract's name.
VIOLATIONS = {
    "map": ("fingerprint/__init__.py", "import haechi.index", "Package map"),
    "walk": ("server/reports/__init__.py", "import haechi.server.cases.models", "Server walk"),
    "anonymous": ("server/matching/known.py", "import haechi.server.staff.models", "Anonymous"),
    "pure": ("seal/keys.py", "import django", "The library needs"),
    "acyclic": ("seal/keys.py", "import haechi.seal.stream", "No cycles"),
    "exhaustive": ("newroom/__init__.py", "", "Package map"),
}


def test_foreign_keys_follow_the_walk() -> None:
    """A stage may point at earlier stages, never at later ones."""
    pointing = 0
    for model in apps.get_models():
        here = model._meta.app_label
        if here not in WALK:
            continue
        for field in model._meta.get_fields():
            if not (field.is_relation and field.concrete and field.related_model):
                continue
            there = field.related_model._meta.app_label
            if there in WALK:
                pointing += 1
                assert WALK.index(there) <= WALK.index(here), f"{field} points forward"
    assert pointing > 15


def test_every_stage_is_in_the_walk() -> None:
    """A stage that nobody put into the walk would escape the test above."""
    stages = {
        app.label
        for app in apps.get_app_configs()
        if app.name.startswith("haechi.server.") and list(app.get_models())
    }
    assert stages == set(WALK)


@pytest.mark.slow
@pytest.mark.parametrize("contract", VIOLATIONS)
def test_each_contract_fails_on_an_injected_violation(contract: str, tmp_path: Path) -> None:
    """A contract that cannot fail holds nothing."""
    file, line, name = VIOLATIONS[contract]
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src" / "haechi", tmp_path / "haechi", ignore=_not_code)
    target = tmp_path / "haechi" / file
    target.parent.mkdir(exist_ok=True)
    text = target.read_text() if target.exists() else ""
    target.write_text(f"{text}\n{line}\n")

    run = _lint_imports(tmp_path)

    assert run.returncode == 1, run.stdout + run.stderr
    broken = [text for text in run.stdout.splitlines() if "BROKEN" in text]
    assert any(name in text for text in broken), run.stdout


def _not_code(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("node_modules", "static", "__pycache__")}


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as c; c()"
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
