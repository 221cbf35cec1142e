"""The verbs that need what only the `train` extra brings say so, in place of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def training(what: str) -> Iterator[None]:
    """`what`: the sentence's subject, "Importing"."""
    from models.errors import WeightsError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Threads that spin while they wait cost half the speed on a machine with other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith(("models", "server")):
            raise
        raise WeightsError(
            f"{what} needs the `train` extra ({error.name} is missing): {sys.executable} -m pip install 'unmask[train]'"
        ) from error
