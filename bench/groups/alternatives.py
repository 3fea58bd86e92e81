# SPDX-License-Identifier: Apache-2.0
"""What a user would pick instead, where it runs here. None of it isolates as a VM does."""

import json
import pathlib
import shutil
import subprocess
import tempfile

from kit.client import ms
from kit.server import ROOT

GROUP = "alternatives"
PYTHON = "/usr/bin/python3"
WORK = ("import time; b=time.perf_counter(); s=0\nfor i in range(1000000): s+=i*i\n"
        "print((time.perf_counter()-b)*1000)")


def measure(report, plan):
    count = plan(10, 50)
    processes(report, count)
    container(report, count)
    ipython(report, plan)


def quiet(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def processes(report, count):
    report.add(GROUP, "python3 -c print(1), bare process", "ms",
               [ms(quiet, [PYTHON, "-c", "print(1)"]) for _ in range(count)])
    report.add(GROUP, "interpreter-bound work, bare process", "ms",
               [float(subprocess.run([PYTHON, "-c", WORK], capture_output=True, text=True).stdout)
                for _ in range(3)])
    command = ["bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink",
               "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--unshare-all", PYTHON, "-c",
               "print(1)"]
    if shutil.which("bwrap") and quiet(command) == 0:
        report.add(GROUP, "python3 -c print(1), bubblewrap", "ms",
                   [ms(quiet, command) for _ in range(count)])


def container(report, count):
    """A container on the very root file system that our guests see: crun, or runc where crun does not
    run (it refuses hosts with both versions of cgroups)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glassbell-bench-oci-"))
    try:
        root = folder / "rootfs"
        if quiet(["fsck.erofs", f"--extract={root}", str(ROOT / "build/images/python.erofs")]) != 0:
            return
        (folder / "config.json").write_text(json.dumps({
            "ociVersion": "1.0.0", "root": {"path": "rootfs", "readonly": True},
            "process": {"args": [PYTHON, "-c", "print(1)"], "cwd": "/", "user": {"uid": 0, "gid": 0},
                        "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": True},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
        }))
        for name, command in (("crun", ["crun", "--cgroup-manager=disabled", "run"]),
                              ("runc", ["runc", "run"])):
            command = [*command, "-b", str(folder), "glassbell-bench"]
            if shutil.which(name) and quiet(command) == 0:
                report.add(GROUP, "python3 -c print(1), container on our root", "ms",
                           [ms(quiet, command) for _ in range(count)], name)
                return
        print("neither crun nor runc runs here; left out")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ipython(report, plan):
    """An IPython kernel over ZeroMQ, as notebooks use it."""
    program = str(pathlib.Path(__file__).with_name("kernel_client.py"))
    done = subprocess.run([PYTHON, program, str(plan(2, 5)), str(plan(100, 1000))],
                          capture_output=True, text=True)
    if done.returncode != 0:
        print("no IPython kernel here; left out")
        return
    figures = json.loads(done.stdout)
    report.add(GROUP, "IPython kernel: start to the first result", "ms", figures["start"])
    report.add(GROUP, "IPython kernel: execute print(1)", "ms", figures["execute"])
