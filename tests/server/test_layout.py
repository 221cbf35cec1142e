"""Nothing goes untold or untested: every verb is in the README, every module has its tests where one looks for them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from server.cli import VERBS

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")

# No test file of its own, nor a test that imports it: where it is tested, and through what.
ELSEWHERE = {
    "server/cli/announce.py": "tests/faults/test_serve.py",  # what a started server says
    "server/cli/extra.py": "tests/server/cli/test_train.py",  # by the verbs that need it
    "server/cli/completion.py": "tests/server/cli/test_main.py",  # as a verb
    "server/cli/web.py": "tests/services/test_line.py",  # a process of its own
    "server/cli/worker.py": "tests/services/test_line.py",  # a process of its own
    "server/fetch/direct.py": "tests/server/fetch/test_download.py",  # in the child, as every fetch
    "server/sandbox/inside.py": "tests/server/sandbox/test_forkserver.py",  # in the child
    "server/sandbox/landlock.py": "tests/server/sandbox/test_confine.py",  # in the child, as all that confines it
    "server/sandbox/namespaces.py": "tests/server/sandbox/test_confine.py",
    "server/sandbox/syscalls.py": "tests/server/sandbox/test_confine.py",
    "server/sandbox/trial.py": "tests/server/cli/test_doctor.py",  # in the child
    "server/web/api/blueprint.py": "tests/server/web/test_errors.py",  # by what each resource answers
    "server/web/api/form.py": "tests/server/web/test_describe.py",  # a part of the description
    "server/web/api/submission.py": "tests/server/web/api/test_checks.py",  # what asking takes
    "server/worker/frames.py": "tests/server/worker/test_child.py",  # in the child
    "server/worker/pipeline.py": "tests/services/test_line.py",  # the whole line
    "models/clips.py": "tests/models/test_decode.py",  # by what is decoded
    "models/pictures.py": "tests/models/test_decode.py",  # by what is decoded
    "models/panel.py": "tests/models/test_analyze.py",  # a part of each analysis
    "models/stopwatch.py": "tests/models/test_analyze.py",  # a part of each analysis
    "models/summary.py": "tests/models/test_analyze.py",  # a part of each analysis
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert f"unmask {verb}" in README


def test_every_module_has_its_tests_where_one_looks_for_them() -> None:
    imported = _imported_by_tests()
    without = [
        str(path.relative_to(REPOSITORY))
        for path in [*REPOSITORY.glob("server/**/*.py"), *REPOSITORY.glob("models/*.py")]
        if _has_logic(path) and not _mirror(path).exists() and _name(path) not in imported
    ]
    assert sorted(set(without) - set(ELSEWHERE)) == []
    told = [path for path in ELSEWHERE if (REPOSITORY / path).exists() and path not in without]
    assert told == [], "these have tests of their own by now: strike them from the list"
    assert [test for test in ELSEWHERE.values() if not (REPOSITORY / test).exists()] == []


def _has_logic(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.walk(_parsed(path)))


def _mirror(path: Path) -> Path:
    inside = path.relative_to(REPOSITORY)
    return REPOSITORY / "tests" / inside.with_name(f"test_{inside.name}")


def _name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def _imported_by_tests() -> set[str]:
    found = set()
    for path in REPOSITORY.glob("tests/**/*.py"):
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
