#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in which programs of another architecture run by themselves, through QEMU.

    emulated.py ARCHITECTURE COMMAND…

Theory of operation
The kernel starts a program's emulator where binfmt_misc names one. Since Linux 6.7 each user namespace can
have a binfmt_misc of its own, so that nothing is registered for the rest of the machine, and it is gone
with the command. The emulator's file is opened when it is registered (flag F): a root directory of the
other architecture need not contain it. On older kernels the machine's own registration has to do.

Root enters a user namespace in which ids are the same as outside. Others are in one already, made by
unshare(1).
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from imagekit import architecture
from imagekit.report import BuildError

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
IDS = "0 0 65536\n"
REGISTERED = "/proc/sys/fs/binfmt_misc"
NAME = "glassbell"


def main(wanted, *command):
    try:
        prepare(architecture.find(wanted))
    except (BuildError, OSError) as error:
        print(f"emulated: {error}", file=sys.stderr)
        return 1
    os.execvp(command[0], command)


def prepare(wanted):
    # In a namespace of unshare(1), other ids are mapped than in the first one.
    with open("/proc/self/uid_map", encoding="ascii") as ids:
        first = ids.read().split() == ["0", "0", "4294967295"]
    if first:
        enter_namespace()
    register(wanted, find_emulator(wanted))


def find_emulator(wanted):
    """A static one: it is started where its libraries are not."""
    for name in (wanted.emulator + "-static", wanted.emulator):
        path = shutil.which(name)
        if path is not None:
            return os.path.realpath(path)
    raise BuildError(f"there is no {wanted.emulator}: install the package qemu-user-static "
                     "(qemu-user in newer releases of Debian)")


def enter_namespace():
    """A process outside has to say which ids there are in it."""
    reading, writing = os.pipe()
    inside = os.getpid()
    outside = os.fork()
    if outside == 0:
        os.close(writing)
        status = 1
        try:
            if os.read(reading, 1):
                for kind in "uid", "gid":
                    with open(f"/proc/{inside}/{kind}_map", "w", encoding="ascii") as ids:
                        ids.write(IDS)
                status = 0
        finally:
            os._exit(status)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace can be made here")
    os.write(writing, b"1")
    _, status = os.waitpid(outside, 0)
    os.close(writing)
    os.close(reading)
    if status != 0:
        raise BuildError("the ids of a user namespace cannot be set here")


def entry(wanted, emulator):
    """Programs and shared objects of 64 bits, little endian, whatever ABI of theirs."""
    magic = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + wanted.elf.to_bytes(2, "little")
    mask = b"\xff" * 7 + bytes(9) + b"\xfe\xff\xff\xff"
    return f":{NAME}:M::{escaped(magic)}:{escaped(mask)}:{emulator}:F"


def escaped(data):
    return "".join(f"\\x{byte:02x}" for byte in data)


def register(wanted, emulator):
    # Its entries are gone when it is not mounted any more: it stays, until the namespaces end with the
    # command. Whoever has set TMPDIR removes the empty folder.
    place = tempfile.mkdtemp(prefix="glassbell-binfmt-")
    if subprocess.run(["mount", "-t", "binfmt_misc", NAME, place], check=False,
                      capture_output=True).returncode == 0:
        with open(os.path.join(place, "register"), "w", encoding="ascii") as file:
            file.write(entry(wanted, emulator))
        return
    os.rmdir(place)
    if not is_registered(wanted):
        raise BuildError(
            f"programs of {wanted.machine} cannot be run: only Linux 6.7 and later can register an "
            "emulator for one command; before that the machine's administrator does it "
            "(the packages qemu-user-static and binfmt-support)")


def is_registered(wanted):
    try:
        with open(os.path.join(REGISTERED, wanted.emulator), encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    return "enabled" in lines and any(line.startswith("flags:") and "F" in line for line in lines)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
