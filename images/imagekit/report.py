# SPDX-License-Identifier: Apache-2.0
"""Progress lines, the log of each part, and the one error that users see."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

TAIL_LINES = 20


class BuildError(Exception):
    """A sentence for the user; `log` names the file that tells more."""

    def __init__(self, sentence, log=None):
        super().__init__(sentence)
        self.log = log


class Report:
    """Prints phase lines with the seconds since the start, and owns the running children.

    Children are in process groups of their own, so that an interrupt reaches them once, from here,
    and they get the chance to unmount and remove what they made.
    """

    def __init__(self, log_dir):
        self.log_dir = log_dir
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.children = set()
        self.stopping = False

    def say(self, text):
        with self.lock:
            print(f"[{time.monotonic() - self.start:5.1f} s] {text}", flush=True)

    def log_path(self, part):
        os.makedirs(self.log_dir, exist_ok=True)
        return os.path.join(self.log_dir, part + ".log")

    def run(self, part, argv, *, failure, env=None):
        """Runs a program with its output in the part's log; `failure` is the sentence if it fails."""
        path = self.log_path(part)
        with open(path, "ab") as log:
            log.write(("+ " + " ".join(argv) + "\n").encode())
            log.flush()
            self._wait(argv, env, log, failure, path)

    def _wait(self, argv, env, log, failure, path):
        with self.lock:
            if self.stopping:
                raise BuildError("the build was stopped")
            try:
                child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env=env, start_new_session=True)
            except FileNotFoundError:
                raise BuildError(f"the program {argv[0]} is not installed") from None
            self.children.add(child)
        try:
            status = child.wait()
        finally:
            with self.lock:
                self.children.discard(child)
        if status != 0:
            raise BuildError(explain(path, failure), path)

    def stop(self):
        """Asks every child to end; their waiters then fail."""
        with self.lock:
            self.stopping = True
            for child in self.children:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGINT)


def tail(path):
    try:
        with open(path, "rb") as log:
            log.seek(max(0, os.path.getsize(path) - 65536))
            return log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except OSError:
        return []


# What the usual causes look like in the output of apt, dpkg, mmdebstrap and mkfs.erofs.
CAUSES = (
    (("No space left on device",),
     "the disk is full"),
    (("Temporary failure resolving", "Could not resolve", "Network is unreachable",
      "Could not connect", "Unable to connect", "Connection timed out", "Connection refused"),
     "the Debian mirror cannot be reached: is there a network?"),
    (("NO_PUBKEY", "is not signed"),
     "the package lists are not signed with Debian's archive key"),
    (("/etc/subuid", "/etc/subgid", "newuidmap"),
     "this user has no range of subordinate ids (see subuid(5)), "
     "which building without root needs"),
)


def explain(path, failure):
    """Says the failure, with its cause if the end of the log shows a well-known one."""
    text = "\n".join(tail(path))
    for marks, cause in CAUSES:
        if any(mark in text for mark in marks):
            return f"{failure}: {cause}"
    return failure


def print_error(error):
    print(f"images/build: {error}", file=sys.stderr)
    if error.log is not None:
        for line in tail(error.log):
            print("    " + line, file=sys.stderr)
        print(f"images/build: the full log is {error.log}", file=sys.stderr)
