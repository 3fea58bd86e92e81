"""The front end on a terminal: how soon it shows itself, how soon a key is seen, what it costs when nothing
happens. The server only speaks the protocol, so that nothing but the front end is measured."""

import fcntl
import os
import pathlib
import pty
import select
import struct
import sys
import tempfile
import termios
import time

from kit.server import ROOT

sys.path.insert(0, str(ROOT / "tests"))

GROUP = "screen"
PROGRAM = str(ROOT / "build/release/cli/glovebox")


class Screen:
    """The program on a terminal of ours: bytes in, bytes out."""

    def __init__(self, socket, folder, columns=120, rows=40):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8", HOME=folder)
            os.execv(PROGRAM, [PROGRAM, "tui", "--socket", str(socket)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.text, self.size = b"", 0

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if ready:
            data = os.read(self.fd, 1 << 16)
            self.size += len(data)
            self.text = (self.text + data)[-200000:]
        return bool(ready)

    def until(self, text, seconds=30):
        end = time.perf_counter() + seconds
        while text not in self.text:
            if time.perf_counter() > end:
                raise RuntimeError(f"{text!r} did not come")
            self.read(1)
        return time.perf_counter()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def close(self):
        os.write(self.fd, b"\x11")
        try:
            while self.read(5):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


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
    """Twenty sessions of which nothing changes, with their figures each second."""
    seconds = plan(5, 30)
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
