"""`unmask` itself: what it lists, how it teaches, how it says that something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from server.cli import VERBS, main
from tests.need import REPOSITORY
from tests.server.cli.conftest import Unmask


def test_every_verb_is_listed(unmask: Unmask) -> None:
    done = unmask("--help")
    assert done.exit_code == 0
    for verb, text in VERBS.items():
        assert f"\n  {verb} " in done.stdout
        assert text.removesuffix(".")[:30] in done.stdout
    assert unmask("-h").stdout == done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_teaches_by_example(unmask: Unmask, verb: str) -> None:
    done = unmask(verb, "--help")
    assert done.exit_code == 0
    example = f"unmask {verb}"
    assert [line for line in done.stdout.splitlines() if example in line and not line.startswith("Usage:")]


def commands(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(group, click.Group):
        return [(path, group)]
    context = click.Context(group)
    inner = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [found for name, command in inner if command for found in commands(command, (*path, name))]


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        f"unmask {' '.join(path)} {option.opts[0]}"
        for path, command in commands(main)
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_every_command_says_what_it_does() -> None:
    assert [path for path, command in commands(main) if not command.help] == []


def test_an_unknown_verb_is_bad_usage(unmask: Unmask) -> None:
    done = unmask("chekc")
    assert done.exit_code == 2
    assert "chekc" in done.stderr


def test_a_bad_setting_is_bad_usage(unmask: Unmask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_PORT", "eighty")
    done = unmask("user", "list")
    assert done.exit_code == 2
    assert "UNMASK_PORT" in done.stderr


def test_an_error_is_a_sentence_and_a_code(unmask: Unmask) -> None:
    done = unmask("user", "role", "nobody", "viewer")
    assert done.exit_code == 1
    assert done.stderr == "Error: There is no user called nobody. [not_found]\n"
    assert done.stdout == ""


@pytest.mark.parametrize("words", ["user list", "evaluate {} --out {}/out", "prepare {} --out {}/out"])
def test_a_path_that_cannot_be_written_is_named(
    unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """A file stands where a folder is to be made: not even root gets past it."""
    blocked = tmp_path / "file"
    blocked.touch()
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "a.png").write_bytes(b"")
    monkeypatch.setenv("UNMASK_DATA_DIR", str(blocked / "data"))
    done = unmask(*words.format(tmp_path, blocked).split())
    assert done.exit_code == 1, done.output
    assert str(blocked) in done.stderr
    assert "Not a directory" in done.stderr


def test_the_version(unmask: Unmask) -> None:
    assert unmask("--version").stdout.startswith("unmask, version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(unmask: Unmask, shell: str) -> None:
    done = unmask("completion", shell)
    assert done.exit_code == 0
    assert "_UNMASK_COMPLETE" in done.stdout


def test_completion_of_an_unknown_shell(unmask: Unmask) -> None:
    assert unmask("completion", "cmd").exit_code == 2


def test_help_and_completion_load_no_library_of_models() -> None:
    """They are asked for at every press of the tab key."""
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from server.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print([name for name in ('numpy', 'cv2', 'onnxruntime', 'sqlalchemy', 'flask') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
