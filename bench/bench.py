#!/usr/bin/env python3
"""Measures Glovebox as a client sees it, beside what a user would pick instead, in the same run.

Every figure is a list of samples; the table shows p50, p95, p99. The server under test is the release
build, started here with folders of its own. Nothing is asserted: tests say what is right, this says
how fast it is.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/cli/glovebox"

# What the project promises for a machine of two cores under emulation: (figure, quantile) → limit.
TARGETS = {
    ("open cold, python", "p50"): 4000.0,
    ("open cold, shell", "p50"): 2000.0,
    ("open cold, javascript", "p50"): 5000.0,
    ("exec print(1)", "p50"): 1.3,
    ("exec print(1)", "p99"): 6.0,
    ("first byte of streamed output", "p50"): 3.0,
    ("server resident, 10 sessions", "p50"): 12.0,
}
FLOORS = {("upload 64 MiB", "p50"): 60.0, ("download 64 MiB", "p50"): 60.0}


class Client:
    """One call at a time, as little Python as can be in the way."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.lines = self.sock.makefile("rb")
        self.number = 0

    def send(self, method, params):
        self.number += 1
        self.sock.sendall(b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n'
                          % (self.number, method.encode(), json.dumps(params).encode()))
        return self.number

    def reply(self, on_note=None):
        while True:
            message = json.loads(self.lines.readline())
            if "method" in message:
                if on_note:
                    on_note(message["params"])
                continue
            if "error" in message:
                raise RuntimeError(message["error"])
            return message["result"]

    def call(self, method, **params):
        self.send(method, params)
        return self.reply()

    def close(self):
        self.lines.close()
        self.sock.close()


class Server:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glovebox-bench-"))
        self.socket = self.folder / "server.sock"
        ready, write_end = os.pipe()
        env = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder))
        self.process = subprocess.Popen(
            [BINARY, "serve", "--foreground", "--socket", self.socket, "--ready-fd", str(write_end)],
            env=env, stdin=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(ready, "rb") as pipe:
            if not pipe.read(1):
                sys.exit("the server did not start")

    def client(self):
        return Client(self.socket)

    def status(self, field):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))

    def cpu_ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


def ms(function, *arguments, **options):
    begin = time.perf_counter()
    function(*arguments, **options)
    return (time.perf_counter() - begin) * 1000


def quantile(samples, q):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class Report:
    def __init__(self):
        self.rows = {}

    def add(self, name, unit, samples, note=""):
        row = {"unit": unit, "n": len(samples), "p50": statistics.median(samples),
               "p95": quantile(samples, 0.95), "p99": quantile(samples, 0.99),
               "min": min(samples), "max": max(samples), "note": note}
        self.rows[name] = row
        print(self.line(name, row), flush=True)

    @staticmethod
    def line(name, row):
        verdicts = [("ok" if row[q] <= limit else "MISSED") + f" ({q} ≤ {limit:g})"
                    for (figure, q), limit in TARGETS.items() if figure == name]
        verdicts += [("ok" if row[q] >= limit else "MISSED") + f" ({q} ≥ {limit:g})"
                     for (figure, q), limit in FLOORS.items() if figure == name]
        return (f"{name:<40} {row['p50']:>10.3f} {row['p95']:>10.3f} {row['p99']:>10.3f} "
                f"{row['unit']:<5} n={row['n']:<5} {', '.join(verdicts)} {row['note']}").rstrip()


def measure_open(server, report, count):
    first = {"python": "print(1)", "shell": "echo 1", "javascript": "console.log(1)"}
    for image in ("shell", "python", "javascript"):
        opens, execs = [], []
        client = server.client()
        for _ in range(count):
            begin = time.perf_counter()
            session = client.call("session.open", image=image)["session"]
            opens.append((time.perf_counter() - begin) * 1000)
            execs.append(ms(client.call, "session.exec", session=session, code=first[image]))
            client.call("session.close", session=session)
        report.add(f"open cold, {image}", "ms", opens)
        report.add(f"first exec, {image}", "ms", execs)
        client.close()


def measure_exec(server, report, count):
    client = server.client()
    session = client.call("session.open", image="python")["session"]
    for _ in range(50):
        client.call("session.exec", session=session, code="print(1)")
    report.add("exec print(1)", "ms",
               [ms(client.call, "session.exec", session=session, code="print(1)") for _ in range(count)])
    report.add("pool.status (socket alone)", "ms", [ms(client.call, "pool.status")
                                                    for _ in range(count)])
    work = "s=0\nfor i in range(1000000): s+=i*i"
    report.add("interpreter-bound cell", "ms",
               [ms(client.call, "session.exec", session=session, code=work) for _ in range(3)])
    client.call("session.close", session=session)
    for image, code in (("shell", "echo 1"), ("javascript", "console.log(1)")):
        session = client.call("session.open", image=image)["session"]
        for _ in range(50):
            client.call("session.exec", session=session, code=code)
        report.add(f"exec {code}", "ms", [ms(client.call, "session.exec", session=session, code=code)
                                          for _ in range(count // 4)])
        client.call("session.close", session=session)
    client.close()


def measure_stream(server, report, count):
    """From the program's write to the client's read; the guest's clock is compared as NTP does."""
    client = server.client()
    session = client.call("session.open", image="python")["session"]
    best = None
    client.call("session.exec", session=session, code="import time")
    for _ in range(200):
        begin = time.time_ns()
        guest = int(client.call("session.exec", session=session, code="time.time_ns()")["value"])
        end = time.time_ns()
        if best is None or end - begin < best[0]:
            best = (end - begin, guest - (begin + end) // 2)
    offset = best[1]
    samples = []

    def note(params):
        now = time.time_ns()
        for line in params["text"].split():
            samples.append((now - (int(line) - offset)) / 1e6)

    code = f"for _ in range({count}):\n    print(time.time_ns())\n    time.sleep(0.02)"
    client.send("session.exec", {"session": session, "code": code, "stream": True, "timeout_ms": 600000})
    client.reply(note)
    report.add("first byte of streamed output", "ms", samples,
               f"clock known to ±{best[0] / 2e6:.2f} ms")
    client.call("session.close", session=session)
    client.close()


def measure_files(server, report, count):
    client = server.client()
    session = client.call("session.open", image="shell")["session"]
    size, chunk = 64 << 20, 4 << 20
    lines = [json.dumps({"jsonrpc": "2.0", "id": i, "method": "file.write", "params": {
        "session": session, "path": "blob", "offset": i * chunk, "final": (i + 1) * chunk == size,
        "base64": base64.b64encode(os.urandom(chunk)).decode()}}).encode() + b"\n"
        for i in range(size // chunk)]
    up, down = [], []
    for _ in range(count):
        client.call("session.exec", session=session, code="rm -f blob")
        begin = time.perf_counter()
        sender = concurrent.futures.ThreadPoolExecutor(1)
        sent = sender.submit(lambda: [client.sock.sendall(line) for line in lines])
        for _ in lines:
            client.reply()
        sent.result()
        up.append(size / 1e6 / (time.perf_counter() - begin))
        begin = time.perf_counter()
        got, offset = 0, 0
        for i in range(size // chunk):
            client.send("file.read", {"session": session, "path": "blob", "offset": i * chunk, "length": chunk})
        for i in range(size // chunk):
            line = client.lines.readline()
            got += len(line)
        down.append(size / 1e6 / (time.perf_counter() - begin))
    report.add("upload 64 MiB", "MB/s", up)
    report.add("download 64 MiB", "MB/s", down)
    client.call("session.close", session=session)
    client.close()


def measure_server(server, report, quick):
    client = server.client()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        sessions = list(pool.map(lambda _: _open_one(server), range(10)))
    for session in sessions:
        client.call("session.exec", session=session, code="echo 1")
    report.add("server resident, 10 sessions", "MiB", [server.status("VmRSS") / 1024])
    ticks = server.cpu_ticks()
    time.sleep(3 if quick else 10)
    report.add("server CPU while idle, 10 sessions", "ticks", [server.cpu_ticks() - ticks])
    vms = client.call("stats")["vms"]
    report.add("PSS of an idle shell VM", "MiB",
               [vm["memory_bytes"] / (1 << 20) for vm in vms if "memory_bytes" in vm])
    for session in sessions:
        client.call("session.close", session=session)
    client.close()


def _open_one(server):
    client = server.client()
    session = client.call("session.open", image="shell")["session"]
    client.close()
    return session


def measure_long(server, report, cycles):
    """The server's memory and descriptors over many open/exec/close cycles, two at a time."""
    def cycle(_):
        client = server.client()
        session = client.call("session.open", image="shell")["session"]
        client.call("session.exec", session=session, code="echo 1")
        client.call("session.close", session=session)
        client.close()
        return server.status("VmRSS") / 1024, len(os.listdir(f"/proc/{server.process.pid}/fd"))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        points = list(pool.map(cycle, range(cycles)))
    tenth = max(1, cycles // 10)
    early, late = points[tenth:2 * tenth] or points, points[-tenth:]
    report.add(f"server resident, early of {cycles} cycles", "MiB", [p[0] for p in early])
    report.add(f"server resident, late of {cycles} cycles", "MiB", [p[0] for p in late])
    report.add(f"server descriptors, late of {cycles} cycles", "", [p[1] for p in late])


def measure_alternatives(report, count):
    """What a user would pick instead, where it runs here. None of it isolates as a VM does."""
    python = "/usr/bin/python3"
    report.add("python3 -c print(1), bare process", "ms",
               [ms(subprocess.run, [python, "-c", "print(1)"], stdout=subprocess.DEVNULL)
                for _ in range(count)])
    if shutil.which("bwrap"):
        command = ["bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink",
                   "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--unshare-all", python, "-c", "print(1)"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            report.add("the same under bubblewrap", "ms",
                       [ms(subprocess.run, command, stdout=subprocess.DEVNULL) for _ in range(count)])
    work = "import time; b=time.perf_counter(); s=0\nfor i in range(1000000): s+=i*i\nprint((time.perf_counter()-b)*1000)"
    report.add("interpreter-bound work, bare process", "ms",
               [float(subprocess.run([python, "-c", work], capture_output=True, text=True).stdout)
                for _ in range(3)])


def machine(server):
    client = server.client()
    hello = client.call("hello")
    client.close()
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout
    return {"cpus": os.cpu_count(), "kernel": platform.release(), "accel": hello["accel"],
            "server": hello["server"], "qemu": qemu.splitlines()[0] if qemu else "?",
            "at": time.strftime("%Y-%m-%d %H:%M:%S")}


def compare(rows, path):
    with open(path) as file:
        before = json.load(file)["figures"]
    print(f"\nratios against {path} (p50, this run / that run)")
    for name, row in rows.items():
        if name in before and before[name]["p50"]:
            print(f"{name:<40} {row['p50'] / before[name]['p50']:>8.2f}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples: about two minutes")
    parser.add_argument("--only", metavar="WORD", help="only the groups whose name has this word")
    parser.add_argument("--long", type=int, metavar="N", default=0, help="also N open/exec/close cycles")
    parser.add_argument("--json", metavar="FILE", default=str(ROOT / "build/bench.json"))
    parser.add_argument("--compare", metavar="FILE", help="ratios against an earlier --json file")
    options = parser.parse_args()
    quick = options.quick
    report = Report()
    server = Server()
    groups = [
        ("open", lambda: measure_open(server, report, 3 if quick else 5)),
        ("exec", lambda: measure_exec(server, report, 400 if quick else 2000)),
        ("stream", lambda: measure_stream(server, report, 100 if quick else 500)),
        ("files", lambda: measure_files(server, report, 2 if quick else 5)),
        ("server", lambda: measure_server(server, report, quick)),
        ("long", lambda: options.long and measure_long(server, report, options.long)),
        ("alternatives", lambda: measure_alternatives(report, 10 if quick else 30)),
    ]
    try:
        facts = machine(server)
        print(", ".join(f"{key} {value}" for key, value in facts.items()))
        print(f"{'figure':<40} {'p50':>10} {'p95':>10} {'p99':>10}")
        for name, group in groups:
            if not options.only or options.only in name:
                group()
    finally:
        server.stop()
    with open(options.json, "w") as file:
        json.dump({"machine": facts, "figures": report.rows}, file, indent=1)
    print(f"as JSON: {options.json}")
    if options.compare:
        compare(report.rows, options.compare)


if __name__ == "__main__":
    main()
