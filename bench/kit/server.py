# SPDX-License-Identifier: Apache-2.0
"""The server under test: the release build, with folders and settings of its own."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from kit.client import Client

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = ROOT / "build/release/cli/glassbell"


class Server:
    """`settings` is the text of its settings file; `cache` a folder to share templates with others."""

    def __init__(self, settings="", cache=None, arguments=(), env=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glassbell-bench-"))
        self.socket = self.folder / "server.sock"
        config = self.folder / "glassbell.conf"
        config.write_text(settings)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder), GLASSBELL_CONFIG=str(config),
                        XDG_STATE_HOME=str(self.folder / "state"), GLASSBELL_SOCKET=str(self.socket))
        self.env.update(env or {})
        if cache:
            self.env["XDG_CACHE_HOME"] = str(cache)
        self.log = open(self.folder / "log", "wb")
        ready, write_end = os.pipe()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--foreground", "--socket", self.socket, "--ready-fd", str(write_end),
             *arguments],
            env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(ready, "rb") as pipe:
            if not pipe.read(1):
                sys.exit("the server did not start:\n" + (self.folder / "log").read_text())

    def client(self):
        return Client(self.socket)

    def status(self, field):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def children(self):
        """The pids below the server, at any depth."""
        found, new = [], [self.process.pid]
        while new:
            pid = new.pop()
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        new += [int(child) for child in children.read().split()]
            found.append(pid)
        return found[1:]

    def cpu_seconds(self, pids=None):
        total = 0
        for pid in pids or [self.process.pid]:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def open(self, count, image, at_once=2, **options):
        """Opens sessions over connections of their own; gives their ids."""
        def one(_):
            with self.client() as client:
                return client.call("session.open", image=image, idle_ms=0, **options)["session"]

        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(one, range(count)))

    def stop(self):
        self.process.terminate()
        self.process.wait(120)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
