from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.sandbox import seccomp
from server.sandbox.seccomp import Instruction, program

ALLOWED, DENIED, UNKNOWN, KILLED = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
MACHINES = list(seccomp._MACHINES.items())
PID = 4242


def verdict(filters: list[Instruction], arch: int, number: int, *arguments: int) -> int:
    """What the kernel's interpreter of these five instructions would say."""
    words = {0: number, 4: arch} | {16 + 8 * at: value & 0xFFFFFFFF for at, value in enumerate(arguments)}
    place, held = 0, 0
    while True:
        code, yes, no, operand = filters[place]
        place += 1
        if code == 0x20:
            held = words.get(operand, 0)
        elif code == 0x06:
            return operand
        else:
            true = {0x15: held == operand, 0x35: held >= operand, 0x45: bool(held & operand)}[code]
            place += yes if true else no


@pytest.mark.parametrize(("machine", "known"), MACHINES)
def test_the_filter_is_one_the_kernel_takes(machine: str, known: tuple[int, int]) -> None:
    filters = program(*known, PID)
    assert len(filters) < 4096
    for at, (code, yes, no, _) in enumerate(filters):
        assert 0 <= yes < 256 > no >= 0
        assert code == 0x06 or at + 1 + max(yes, no) < len(filters)


@pytest.mark.parametrize(("machine", "known"), MACHINES)
def test_what_each_call_comes_to(machine: str, known: tuple[int, int]) -> None:
    place, arch = known
    filters = program(place, arch, PID)

    def say(call: tuple[int, int], *arguments: int) -> int:
        return verdict(filters, arch, call[place], *arguments)

    for name, numbers in seccomp._REFUSED.items():
        if numbers[place] >= 0:
            assert say(numbers) == DENIED, name
    read, sendmsg, mmap = (0, 63), (46, 211), (9, 222)
    assert say(read) == say(sendmsg) == say(mmap) == ALLOWED
    assert say(seccomp._CLONE, 0x3D0F00) == ALLOWED  # a thread, as glibc makes them
    assert say(seccomp._CLONE, 0x01200011) == DENIED  # a process
    assert say(seccomp._KILL, 0) == say(seccomp._KILL, PID) == say(seccomp._TGKILL, PID) == ALLOWED
    assert say(seccomp._KILL, -1) == say(seccomp._KILL, 1) == say(seccomp._TGKILL, 1) == DENIED
    assert say(seccomp._PRLIMIT, 0) == ALLOWED
    assert say(seccomp._PRLIMIT, 1) == DENIED
    assert say(seccomp._SOCKETPAIR, 1) == ALLOWED
    assert say(seccomp._SOCKETPAIR, 2) == DENIED
    assert say(seccomp._IOCTL, 1, 0x5412) == DENIED
    assert say(seccomp._IOCTL, 1, 0x5421) == ALLOWED  # FIONBIO
    assert say((425, 425)) == say((435, 435)) == say((600, 600)) == UNKNOWN  # io_uring, clone3, what is yet to come
    assert say((436, 436)) == ALLOWED
    assert verdict(filters, arch ^ 1, 0) == KILLED
    if machine == "x86_64":
        assert verdict(filters, arch, 0x40000000) == KILLED


@pytest.mark.parametrize(("header", "place"), [("asm-generic/unistd.h", 1), ("x86_64-linux-gnu/asm/unistd_64.h", 0)])
def test_the_numbers_are_the_kernels(header: str, place: int) -> None:
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip(f"{path} is not installed (linux-libc-dev)")
    theirs = {name: int(n) for name, n in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", path.read_text())}
    for name, numbers in seccomp._REFUSED.items():
        assert numbers[place] == theirs.get(name, -1), name
