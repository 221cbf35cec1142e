from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from server.sandbox.protections import Findings, try_out

# Refuses calls to the process and all it starts, as containers do, and then tries out what is left.
SCRIPT = """
import ctypes, json, struct, sys
from server.sandbox import syscalls
from server.sandbox.protections import try_out
refuse = [(0x20, 0, 0, 0)]
for number in map(int, sys.argv[1:]):
    refuse += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
code = b"".join(struct.pack("=HBBI", *each) for each in [*refuse, (0x06, 0, 0, 0x7FFF0000)])
filters = ctypes.create_string_buffer(code, len(code))
syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
syscalls.call(317, 1, 0, struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(filters)))
found = try_out()
print(json.dumps({"missing": [each.name for each in found.missing], "refused": found.refused}))
"""
UNSHARE, LANDLOCK, SECCOMP = "272", "444", "317"


@pytest.fixture(scope="module")
def here() -> Findings:
    return try_out()


def left(*refused: str) -> dict[str, list[str] | dict[str, str]]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *refused], capture_output=True, text=True, check=True)
    found: dict[str, list[str] | dict[str, str]] = json.loads(done.stdout)
    return found


def test_this_machine_holds_or_says_what_it_lacks(here: Findings) -> None:
    if here.missing:
        pytest.skip(f"not held on this machine: {[each.sentence for each in here.missing]}")
    assert {each.name for each in here.protections} >= {"network", "reading", "writing", "programs", "limits"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the test's filter has x86-64's numbers")
def test_what_containers_take_away(here: Findings) -> None:
    if here.missing:
        pytest.skip(f"not held on this machine: {[each.sentence for each in here.missing]}")
    docker = left(UNSHARE)
    assert docker["missing"] == []
    assert set(docker["refused"]) == {"namespaces"}
    without_landlock = left(UNSHARE, LANDLOCK)
    assert {"reading", "writing"} <= set(without_landlock["missing"])
    assert "network" not in without_landlock["missing"]
    without_filter = left(SECCOMP)
    assert {"programs", "signals"} & set(without_filter["missing"])
    assert "network" not in without_filter["missing"]
    nothing = left(UNSHARE, LANDLOCK, SECCOMP)
    assert {"network", "reading", "writing", "programs"} <= set(nothing["missing"])
