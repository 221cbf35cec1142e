"""Each protection on its own, tried from inside a child. What this kernel lacks is skipped, and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.sandbox.protections import Findings, try_out
from tests.server.sandbox.conftest import Start


@pytest.fixture(scope="session")
def found() -> Findings:
    return try_out()


@pytest.fixture
def held(found: Findings, request: pytest.FixtureRequest) -> None:
    """Skips what this machine cannot hold; `@pytest.mark.usefixtures` with the protection's name as the test's."""
    name = request.node.callspec.params["protection"]
    broken = {each.name: each.broken for each in found.protections}[name]
    if broken:
        pytest.skip(f"{name} is not held on this machine (a child {broken}): {found.refused}")


CONNECTIONS = [
    "socket.create_connection(('127.0.0.1', 9), 1)",
    "socket.create_connection(('169.254.169.254', 80), 1)",
    "socket.socket()",
    "socket.socket(socket.AF_INET6)",
    "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",  # MPTCP, which Landlock's rule on TCP does not know
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "socket.socket(socket.AF_UNIX).connect('/run/x')",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socket(socket.AF_VSOCK)",
    "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "socket.socketpair()[0].connect('/run/x')",
    "socket.socketpair()[0].bind('\\0abstract')",
    "socket.socketpair()[0].listen()",
    "socket.socketpair()[0].sendto(b'x', '/run/x')",
]
FILES = [
    "open('/etc/passwd').read()",
    "open('/proc/1/environ').read()",
    "open('/proc/self/environ').read()",
    "open('/sys/class/net/lo/address').read()",
    "os.listdir('/')",
    "os.listdir('/root')",
    "os.listdir('..')",
    "open('../neighbour').read()",
]
WRITES = [
    "open('/tmp/planted', 'w')",
    "open('../planted', 'w')",
    "open('../neighbour', 'a')",
    "os.truncate('../neighbour', 0)",
    "os.unlink('../neighbour')",
    "os.symlink('/etc/passwd', 'link')",
    "os.link('../neighbour', 'link')",
    "os.mkfifo('fifo')",
    "os.mknod('device', 0o20600, 0x0101)",
]
PROGRAMS = [
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {})",
    "os.execv('/bin/true', ['true'])",
    "subprocess.run(['/bin/true'])",
    "os.setsid()",
    "os.setpgid(0, 0)",
]
OTHERS = [
    "os.kill(os.getppid(), 0)",
    "os.kill(-1, 0)",
    "signal.pthread_kill(1, 0) if os.kill(1, 0) else None",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    "os.sched_setaffinity(os.getppid(), {0})",
    "os.pidfd_open(os.getppid())",
]
RIGHTS = [
    "os.setuid(0)",
    "os.setgroups([0])",
    "os.chroot('.')",
    "os.chown('.', 0, 0)",
    "ctypes_call('unshare', 0x10000000)",
    "ctypes_call('mount', 0, b'/tmp', 0, 0x1000, 0)",
    "ctypes_call('ptrace', 16, os.getppid(), 0, 0)",
    "ctypes_call('personality', 0x0040000)",
    "ctypes_syscall(425, 8, 0)",  # io_uring_setup: sockets and files behind the filter's back
    "ctypes_syscall(435, 0, 0)",  # clone3, whose flags a filter cannot see
    "ctypes_syscall(9999)",
    "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
]
ATTEMPTS = [
    *(("network", attempt) for attempt in CONNECTIONS),
    *(("reading", attempt) for attempt in FILES),
    *(("writing", attempt) for attempt in WRITES),
    *(("programs", attempt) for attempt in PROGRAMS),
    *(("signals", attempt) for attempt in OTHERS),
    *(("privileges", attempt) for attempt in RIGHTS),
]


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(("protection", "attempt"), ATTEMPTS)
def test_what_no_child_may_do(start: Start, tmp_path: Path, protection: str, attempt: str) -> None:
    neighbour = tmp_path.parent / "neighbour"
    neighbour.write_text("secret")
    told, _ = start("attempt", expression=attempt).receive()
    assert told["outcome"] in ("PermissionError", "OSError", "ValueError"), told
    assert neighbour.read_text() == "secret"
    assert not (tmp_path.parent / "planted").exists()


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("open('own', 'w').write('x')", "1"),
        ("os.mkdir('sub')", "None"),
        ("os.replace(Path('a').write_text('x') and 'a', 'b')", "None"),
        ("len(os.urandom(8))", "8"),
        ("ssl.create_default_context().verify_mode.name", "'CERT_REQUIRED'"),
        ("threaded()", "'done'"),
        ("os.kill(os.getpid(), 0)", "None"),
        ("open('/dev/null', 'w').write('x')", "1"),
    ],
)
def test_what_it_needs_it_may(start: Start, attempt: str, outcome: str) -> None:
    assert start("attempt", expression=attempt).receive()[0]["outcome"] == outcome


def test_of_other_files_it_reads_what_it_was_given(start: Start, tmp_path: Path) -> None:
    given = tmp_path.parent / "given"
    given.write_text("for you")
    given.chmod(0o600)
    attempt = f"open({str(given)!r}).read()"
    assert start("attempt", reads=(given,), expression=attempt).receive()[0]["outcome"] == "'for you'"
    assert start("attempt", reads=(given,), expression=f"open({str(given)!r}, 'w')").receive()[0]["outcome"] != "None"
