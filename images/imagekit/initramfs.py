# SPDX-License-Identifier: Apache-2.0
"""The initramfs: the agent as /init, the kernel's modules, the workers."""

import os

from . import cpio, interpreter, language

# Where the agent mounts /worker: the name that tracebacks of a worker's own code would show.
WORKER_PATH = "/run/glassbell"


def build(target, agent, modules, workers, interpreters=()):
    """Writes the archive; uncompressed, because unpacking it in the guest costs more than reading
    it on the host. `interpreters` are the folders of the Pythons that guests have."""
    with open(target, "wb") as file:
        archive = cpio.Archive(file)
        # The kernel opens /dev/console for PID 1 before any devtmpfs is mounted.
        archive.directory("dev")
        archive.character("dev/console", 5, 1)
        with open(agent, "rb") as binary:
            archive.data("init", binary.read(), 0o755)
        archive.tree("modules", modules)
        add_workers(archive, "worker", workers, interpreters)
        archive.close()


def add_workers(archive, name, source, interpreters):
    """Adds a directory of workers; each .py has a .pyc of each interpreter in __pycache__ that is
    never checked against it."""
    archive.directory(name)
    modules = []
    for entry in sorted(os.listdir(source)):
        path, inside = os.path.join(source, entry), f"{name}/{entry}"
        # Records are for the host: what is known of a language is no part of the guest.
        if entry in ("__pycache__", language.RECORD) or entry.endswith(".pyc"):
            continue
        if os.path.isdir(path):
            add_workers(archive, inside, path, interpreters)
            continue
        with open(path, "rb") as file:
            data = file.read()
        archive.data(inside, data, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
        if entry.endswith(".py"):
            modules.append((entry.removesuffix(".py"), data, inside))
    if not modules or not interpreters:
        return
    archive.directory(f"{name}/__pycache__")
    for folder in interpreters:
        for stem, data, inside in modules:
            code = interpreter.compile_module(folder, data,
                                              WORKER_PATH + inside.removeprefix("worker"))
            archive.data(f"{name}/__pycache__/{stem}.{interpreter.cache_tag(folder)}.pyc", code)
