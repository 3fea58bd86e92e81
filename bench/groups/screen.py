# SPDX-License-Identifier: Apache-2.0
"""The front end on a terminal: how soon it shows itself, how soon a key is seen, what it costs when nothing
happens. The server only speaks the protocol, so that nothing but the front end is measured."""

import contextlib
import itertools
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time

from kit.server import ROOT
from kit.tty import Terminal

sys.path.insert(0, str(ROOT / "tests"))

GROUP = "screen"


class Screen(Terminal):
    def __init__(self, socket, folder):
        super().__init__("tui", "--socket", str(socket), env=dict(os.environ, HOME=folder))

    def cpu_seconds(self):
        """Of all its threads, finer than in ticks."""
        threads = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def close(self):
        os.write(self.fd, b"\x11")
        self.drain()


def measure(report, plan):
    from terminal import FakeServer, made_up

    with tempfile.TemporaryDirectory(prefix="gb-bench-") as folder, \
            FakeServer(folder, [made_up(number) for number in range(20)]) as server:
        starts = []
        for _ in range(plan(10, 40)):
            screen = Screen(server.path, folder)
            starts.append((screen.until(b"agent-19") - screen.begun) * 1000)
            screen.close()
        report.add(GROUP, "start to the list of 20 sessions", "ms", starts)
        screen = Screen(server.path, folder)
        screen.until(b"agent-19")
        keys(report, plan, screen)
        idle(report, plan, screen, server)
        report.add(GROUP, "resident memory of the front end", "MiB", [screen.memory_bytes() / (1 << 20)])
        screen.close()
    hosts(report, plan)
    flood(report, plan)
    lines(report)


def hosts(report, plan):
    """Two hosts with a hundred sessions each of which nothing changes, a front end for each, with a sample of them all
    each second."""
    seconds = plan(5, 30)
    with contextlib.ExitStack() as stack:
        servers, screens = [], []
        for _ in range(2):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gb-bench-"))
            servers.append(stack.enter_context(Resting(folder, 100)))
            screens.append(Screen(servers[-1].path, folder))
            screens[-1].until(b"agent-")
        for screen in screens:
            while screen.read(0.5):
                pass
        for server in servers:
            server.go.set()
        cpu, begin = sum(screen.cpu_seconds() for screen in screens), time.perf_counter()
        while time.perf_counter() - begin < seconds:
            for screen in screens:
                screen.read(0.05)
        used = sum(screen.cpu_seconds() for screen in screens) - cpu
        report.add(GROUP, "two hosts of 100 sessions, idle, share of a core of both front ends", "%",
                   [100 * used / (time.perf_counter() - begin)])
        for screen in screens:
            screen.close()


class Resting:
    """A server of its own process with so many sessions, and their figures each second from `go` on."""

    def __init__(self, folder, count):
        self.ready, self.go = multiprocessing.Event(), multiprocessing.Event()
        self.path = pathlib.Path(folder) / "fake.sock"
        self.process = multiprocessing.get_context("fork").Process(target=self.run, args=(folder, count), daemon=True)
        self.process.start()
        self.ready.wait()

    def run(self, folder, count):
        from terminal import FakeServer, made_up

        with FakeServer(folder, [made_up(number) for number in range(count)]) as server:
            self.ready.set()
            self.go.wait()
            while True:
                server.tell("sample", host={"cpus": 4}, sessions=[
                    {"session": session["session"], "memory_bytes": session["memory_bytes"], "cpu_ms": 1000.0}
                    for session in server.sessions])
                time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


class Printing:
    """A server of its own process whose sessions print: @chunks tells each (delay, session, cell, text)."""

    def __init__(self, folder, chunks):
        self.ready, self.go = multiprocessing.Event(), multiprocessing.Event()
        self.path = pathlib.Path(folder) / "fake.sock"
        self.process = multiprocessing.get_context("fork").Process(target=self.run, args=(folder, chunks), daemon=True)
        self.process.start()
        self.ready.wait()

    def run(self, folder, chunks):
        from terminal import FakeServer, made_up

        sessions = [made_up(number, state="running") for number in range(4)]
        with FakeServer(folder, sessions) as server:
            self.ready.set()
            self.go.wait()
            at = time.monotonic()
            for delay, session, cell, text in chunks:
                at += delay
                if delay:
                    time.sleep(max(0, at - time.monotonic()))
                identity = sessions[session]["session"]
                if text is None:
                    server.tell("cell.finished", session=identity, cell=cell, info={
                        "state": "done", "code": "spin()", "exit_code": 0, "wall_ms": 1, "started_at": 1})
                else:
                    server.tell("cell.output", session=identity, cell=cell, stream="stdout", text=text)
            multiprocessing.parent_process().join()  # connected until it is killed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


def spin(seconds):
    """Four sessions that print 1 MB/s each, in pieces as a guest sends them."""
    size = 46 * 430
    for first in range(0, int(seconds * 1e6 / size) * 430, 430):
        text = "".join(f"line {number:08} of a program that prints a lot\n" for number in range(first, first + 430))
        for session in range(4):
            yield (len(text) / 1e6 if session == 0 else 0), session, 1, text


def flood(report, plan):
    """From a key at the prompt to its letter, while one watches one of four sessions that print."""
    count = plan(100, 500)
    with tempfile.TemporaryDirectory(prefix="gb-bench-") as folder, Printing(folder, spin(600)) as server:
        screen = Screen(server.path, folder)
        screen.until(b"agent-3")
        os.write(screen.fd, b":open agent-1\r")
        screen.until(b"following")
        os.write(screen.fd, b"i")
        screen.until(b"TYPING")
        server.go.set()
        screen.until(b"line 0000")
        samples, size, begin = [], screen.size, time.perf_counter()
        for number in range(count):
            due = time.perf_counter() + 0.05
            while (left := due - time.perf_counter()) > 0:
                screen.read(left)
            screen.text = b""
            at = time.perf_counter()
            letter = b"QVWY"[number // 40 % 4:][:1]  # no end of an escape sequence; another one on an empty line
            os.write(screen.fd, letter if number % 40 else b"\x15" + letter)
            samples.append((screen.until(letter) - at) * 1000)
        report.add(GROUP, "key to screen while four sessions print 1 MB/s each", "ms", samples)
        passed = time.perf_counter() - begin
        report.add(GROUP, "to the terminal while four sessions print", "kB/s", [(screen.size - size) / passed / 1000])
        os.write(screen.fd, b"\x15\x1d")  # the keys are commands' again
        screen.close()


def lines(report):
    """A million lines gone by, in cells of what a cell may print."""
    cells = [(0, 0, cell, "".join(f"{line}\n" for line in range(begin, begin + 5000)))
             for cell in range(1, 11) for begin in range(cell * 100000, (cell + 1) * 100000, 5000)]
    chunks = itertools.chain(*([*group, (0, 0, cell, None)] for cell, group in itertools.groupby(cells, lambda c: c[2])))
    with tempfile.TemporaryDirectory(prefix="gb-bench-") as folder, Printing(folder, [*chunks, (0, 0, 11, "all-are-gone-by\n")]) as server:
        screen = Screen(server.path, folder)
        screen.until(b"agent-3")
        os.write(screen.fd, b":open agent-0\r")
        screen.until(b"no cell yet")  # the answers are here: what comes now is shown
        before = screen.memory_bytes()
        server.go.set()
        screen.until(b"all-are-gone-by")
        report.add(GROUP, "resident memory before a million lines", "MiB", [before / (1 << 20)])
        report.add(GROUP, "resident memory after a million lines", "MiB", [screen.memory_bytes() / (1 << 20)])
        screen.close()


def keys(report, plan, screen):
    """From a key to the first byte that it changes on the screen."""
    samples = []
    for number in range(plan(100, 500)):
        while screen.read(0.02):
            pass
        begin = time.perf_counter()
        os.write(screen.fd, b"jk"[number % 2:number % 2 + 1])
        while not screen.read(1):
            pass
        samples.append((time.perf_counter() - begin) * 1000)
    report.add(GROUP, "key to screen", "ms", samples)


def idle(report, plan, screen, server):
    """Twenty sessions of which nothing changes, with their figures each second, behind those of ten minutes that a
    server tells at the beginning."""
    seconds, now = plan(5, 30), time.time()
    for ago in range(600, 0, -10):
        server.tell("sample", at=now - ago, replay=True, sessions=[
            {"session": session["session"], "memory_bytes": session["memory_bytes"], "cpu_ms": 1000.0}
            for session in server.sessions])
    while screen.read(0.5):
        pass
    size, cpu, begin = screen.size, screen.cpu_seconds(), time.perf_counter()
    for _ in range(seconds):
        server.tell("sample", host={"cpus": 4}, sessions=[
            {"session": session["session"], "memory_bytes": session["memory_bytes"], "cpu_ms": 1000.0}
            for session in server.sessions])
        end = time.perf_counter() + 1
        while time.perf_counter() < end:
            screen.read(max(0, end - time.perf_counter()))
    passed = time.perf_counter() - begin
    report.add(GROUP, "idle, share of a core", "%", [100 * (screen.cpu_seconds() - cpu) / passed])
    report.add(GROUP, "idle, to the terminal in a minute", "KB", [(screen.size - size) / passed * 60 / 1000])
