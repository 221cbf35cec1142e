from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.need import REPOSITORY, program


@pytest.mark.service
def test_nothing_leaks_in_a_small_internet_of_its_own() -> None:
    """Public and forbidden addresses at their own numbers, and names that change what they stand for."""
    program("ip")
    alone = [program("unshare"), "--net", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    tried = subprocess.run([*alone, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine does not hand out a network of one's own: {tried.stderr.strip()}")
    lab = [*alone, sys.executable, "-m", "tests.server.fetch.lab"]
    done = subprocess.run(lab, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.splitlines()
    found = json.loads(last)
    assert found["cases"] > 100
    assert found["leaks"] == 0, done.stdout
    assert [line.split()[-1] for line in table[:3]] == ["fetched"] * 3
