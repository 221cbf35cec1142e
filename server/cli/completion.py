"""`unmask completion`: what the shell needs to complete verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    eval "$(unmask completion bash)"          # for this shell
    unmask completion fish > ~/.config/fish/completions/unmask.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, "unmask", "_UNMASK_COMPLETE").source())
