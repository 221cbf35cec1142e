"""A filter on system calls: no sockets, no programs, no other processes, nothing that changes the machine.

The calls known when this was written are refused by name; those that come to the kernel later do not exist (ENOSYS).
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final

from server.sandbox.syscalls import call

# name: (x86-64, aarch64), -1 where the machine has no such call
_REFUSED: Final = {
    # sockets: what the child may say it says over those it was given
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # programs and processes
    "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281), "setsid": (112, 157),
    "setpgid": (109, 154),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140),
    "ioprio_set": (251, 30), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # another view of the machine, another user
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "personality": (135, 92),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "mknod": (133, -1), "mknodat": (259, 33),
    # the kernel's less travelled roads
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "fanotify_init": (300, 262), "io_setup": (206, 0),
    "io_submit": (209, 2), "quotactl": (179, 60), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    # the machine itself
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "syslog": (103, 116), "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "iopl": (172, -1),
    "ioperm": (173, -1), "modify_ldt": (154, -1), "vhangup": (153, 58),
}  # fmt: skip
_FIRST_COMMON: Final = 424  # from here on every architecture has the same numbers
_COMMON_ALLOWED: Final = (436, 437, 439, 441, 449)  # close_range, openat2, faccessat2, epoll_pwait2, futex_waitv
_CLONE, _KILL, _TGKILL, _PRLIMIT = (56, 220), (62, 129), (234, 131), (302, 261)
_SOCKETPAIR, _IOCTL, _SECCOMP = (53, 199), (16, 29), (317, 277)
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # place in the tables, AUDIT_ARCH_*

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF instructions
_ALLOW, _DENY, _UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_KILL_PROCESS: Final = 0x80000000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # where they lie in struct seccomp_data
_X32: Final = 0x40000000  # numbers of x86-64's other ABI
_CLONE_THREAD: Final = 0x00010000
_AF_UNIX: Final = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # put words into the terminal's input
_SET_MODE_FILTER: Final = 1

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def install() -> None:
    """For this thread and all it starts, for ever. Needs no-new-privileges. OSError where the kernel will not."""
    if platform.machine() not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no filter has been written for {platform.machine()}")
    place, arch = _MACHINES[platform.machine()]
    code = b"".join(struct.pack("=HBBI", *each) for each in program(place, arch, os.getpid()))
    filters = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(filters))
    call(_SECCOMP[place], _SET_MODE_FILTER, 0, described)


def program(place: int, arch: int, pid: int) -> list[Instruction]:
    """`place` chooses the column of the tables; `pid` is whom the process may send signals to."""
    made = [_load(_ARCH), (_EQUAL, 1, 0, arch), _return(_KILL_PROCESS), _load(_NUMBER)]
    if place == 0:
        made += [(_AT_LEAST, 0, 1, _X32), _return(_KILL_PROCESS)]
    for number in _COMMON_ALLOWED:
        made += [(_EQUAL, 0, 1, number), _return(_ALLOW)]
    made += [(_AT_LEAST, 0, 1, _FIRST_COMMON), _return(_UNKNOWN)]
    for name in sorted(_REFUSED):
        if (number := _REFUSED[name][place]) >= 0:
            made += [(_EQUAL, 0, 1, number), _return(_DENY)]
    made += _when(_CLONE[place], [_load(_ARGUMENTS), (_ANY_BIT, 0, 1, _CLONE_THREAD), _return(_ALLOW), _return(_DENY)])
    made += _only(_KILL[place], 0, (0, pid))  # 0: its own group, which holds nobody else
    made += _only(_TGKILL[place], 0, (pid,))
    made += _only(_PRLIMIT[place], 0, (0, pid))
    made += _only(_SOCKETPAIR[place], 0, (_AF_UNIX,))
    made += _unless(_IOCTL[place], 1, (_TIOCSTI, _TIOCLINUX))
    return [*made, _return(_ALLOW)]


def _load(offset: int) -> Instruction:
    return _LOAD, 0, 0, offset


def _return(action: int) -> Instruction:
    return _RETURN, 0, 0, action


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body` must return; it may load other words, so the number is loaded anew."""
    return [_load(_NUMBER), (_EQUAL, 0, len(body), number), *body]


def _only(number: int, argument: int, values: tuple[int, ...]) -> list[Instruction]:
    return _when(number, [*_compare(argument, values, _ALLOW), _return(_DENY)])


def _unless(number: int, argument: int, values: tuple[int, ...]) -> list[Instruction]:
    return _when(number, [*_compare(argument, values, _DENY), _return(_ALLOW)])


def _compare(argument: int, values: tuple[int, ...], action: int) -> list[Instruction]:
    """The lower half of an argument: both machines are little-endian, and the kernel reads no more of these."""
    compared: list[Instruction] = [_load(_ARGUMENTS + 8 * argument)]
    for value in values:
        compared += [(_EQUAL, 0, 1, value), _return(action)]
    return compared
