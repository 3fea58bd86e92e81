"""The initramfs: the agent as /init, the kernel's modules, the workers."""

import os
import subprocess
import sys

from . import cpio
from .report import BuildError

# Where the agent mounts /worker: the name that tracebacks of a worker's own code would show.
WORKER_PATH = "/run/glassbell"
GUEST_PYTHON = (3, 11)

COMPILE = """
import marshal, sys
from importlib import _bootstrap_external as external, util
source = sys.stdin.buffer.read()
code = compile(source, sys.argv[1], "exec", dont_inherit=True, optimize=0)
sys.stdout.buffer.write(external._code_to_hash_pyc(code, util.source_hash(source), False))
"""


def build(target, agent, modules, workers):
    """Writes the archive; uncompressed, because unpacking it in the guest costs more than reading
    it on the host."""
    with open(target, "wb") as file:
        archive = cpio.Archive(file)
        # The kernel opens /dev/console for PID 1 before any devtmpfs is mounted.
        archive.directory("dev")
        archive.character("dev/console", 5, 1)
        with open(agent, "rb") as binary:
            archive.data("init", binary.read(), 0o755)
        archive.tree("modules", modules)
        add_workers(archive, "worker", workers)
        archive.close()


def add_workers(archive, name, source):
    """Adds a directory of workers; each .py is followed by a .pyc that is never checked against
    it, beside it (to be run) and in __pycache__ (to be imported)."""
    archive.directory(name)
    compiled = []
    for entry in sorted(os.listdir(source)):
        path, inside = os.path.join(source, entry), f"{name}/{entry}"
        if entry == "__pycache__" or entry.endswith(".pyc"):
            continue
        if os.path.isdir(path):
            add_workers(archive, inside, path)
            continue
        with open(path, "rb") as file:
            data = file.read()
        archive.data(inside, data, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
        if entry.endswith(".py") and sys.version_info[:2] == GUEST_PYTHON:
            stem = entry.removesuffix(".py")
            code = compile_python(data, WORKER_PATH + inside.removeprefix("worker"))
            archive.data(f"{name}/{stem}.pyc", code)
            compiled.append((stem, code))
    if compiled:
        archive.directory(f"{name}/__pycache__")
        for stem, code in compiled:
            archive.data(f"{name}/__pycache__/{stem}.cpython-311.pyc", code)


def compile_python(source, path):
    """Compiles in an interpreter of its own, whose hash seed is fixed: the order of a constant set
    would differ from build to build otherwise."""
    done = subprocess.run([sys.executable, "-S", "-c", COMPILE, path], input=source,
                          capture_output=True, check=False, env={"PYTHONHASHSEED": "0"})
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise BuildError(f"the worker {path} does not compile: {text[-1] if text else 'no reason'}")
    return done.stdout
