# SPDX-License-Identifier: Apache-2.0
"""What a QEMU that was taken over can have of the host: a program of ours stands in its place, behind all stages.

The launcher confines whatever it starts. Python is started here, and tries.
"""

import contextlib
import os
import pathlib
import subprocess

import pytest

from support import BINARY, qemu_pid

LAUNCHER = pathlib.Path(BINARY).resolve().parents[1] / "glassbell-launcher"
MIB = 1 << 20
MEMORY = 700  # MB: Python's own, and 600 to take


class Confined:
    """Python with @code, confined; its status says what became of each stage."""

    def __init__(self, code, *options):
        status, status_end = os.pipe()
        lifeline_end, self.lifeline = os.pipe()

        def arrange():
            for fd, place in ((status_end, 100), (lifeline_end, 101)):
                os.dup2(fd, place)
            os.dup2(100, 3)
            os.dup2(101, 4)

        self.process = subprocess.Popen(
            [LAUNCHER, "--require", "--memory", str(MEMORY), *options, "--", "/usr/bin/python3", "-I", "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, close_fds=False,
            preexec_fn=arrange)
        os.close(status_end)
        os.close(lifeline_end)
        self.status = os.fdopen(status)

    def pid(self):
        for line in self.status:
            if line.startswith("pid "):
                return int(line.split()[1])
            assert " failed " not in line and not line.startswith("error"), line
        raise AssertionError(self.process.communicate())

    def result(self):
        out, err = self.process.communicate(timeout=60)
        os.close(self.lifeline)
        self.status.close()
        return out, err, self.process.returncode


def run(code):
    options = ("--uid", "65432") if os.geteuid() == 0 else ()
    out, err, status = Confined(code, *options).result()
    assert status == 0, (out, err, status)
    return out


COUNT = """
import errno, mmap, os, sys
held = []
def take(how, most):
    '''How many MiB of it can be had.'''
    try:
        while len(held) < most: held.append(how())
    except (OSError, MemoryError): pass
    print(len(held))
"""

WAYS = {
    "private": "mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    "heap": "bytearray(1 << 20)",
    "private, of a file": "mmap.mmap(os.open('/usr/bin/python3', os.O_RDONLY), 1 << 20, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)",
}


@pytest.mark.parametrize("way", WAYS)
def test_memory_of_its_own_is_bounded(way):
    taken = int(run(COUNT + f"take(lambda: {WAYS[way]}, {4 * MEMORY})"))
    assert taken < MEMORY
    # And nothing is refused that is within: files are, by the number of descriptors.
    assert taken > (MEMORY - 200 if way != "private, of a file" else 50)


@pytest.mark.parametrize("way", [
    "os.memfd_create('m')",
    "os.memfd_create('m', os.MFD_ALLOW_SEALING)",
    "mmap.mmap(-1, 1 << 20)",
    "mmap.mmap(-1, 1 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)",
    "mmap.mmap(-1, 1 << 20, 3 | mmap.MAP_ANONYMOUS)",  # MAP_SHARED_VALIDATE
    "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20, mmap.MAP_SHARED)",
    "open('/tmp/file', 'w')",
    "open('/dev/shm/file', 'w')",
])
def test_memory_that_no_limit_counts_is_refused(way):
    assert run(COUNT + f"take(lambda: {way}, 1)") == "0\n"


def test_what_is_mapped_and_never_touched_is_bounded():
    """Page tables are memory too."""
    code = COUNT + "take(lambda: mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ), 4096)"
    assert int(run(code)) <= 9


def test_it_goes_before_others_where_memory_runs_out():
    options = ("--uid", "65432") if os.geteuid() == 0 else ()
    confined = Confined("input()", *options)
    pid = confined.pid()
    own = int(pathlib.Path("/proc/self/oom_score_adj").read_text())
    for process in (pid, confined.process.pid):
        assert int(pathlib.Path(f"/proc/{process}/oom_score_adj").read_text()) == min(1000, max(own, 0) + 500)
    confined.process.stdin.write("\n")
    with contextlib.suppress(BrokenPipeError):
        confined.process.stdin.flush()
    assert confined.result()[2] == 0


def test_the_limits_are_those_of_the_guest(client, fresh):
    """A real VM may have its guest's memory, translated code and a fixed sum."""
    for memory_mb in (128, 320):
        session = fresh("shell", memory_mb=memory_mb)
        session.exec("true")
        limits = pathlib.Path(f"/proc/{qemu_pid(client, session.id)}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max data size"))
        extra = int(line.split()[3]) // MIB - memory_mb
        assert extra in (512, 640), line
