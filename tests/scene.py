# SPDX-License-Identifier: Apache-2.0
"""A made-up morning: sessions of a few agents, and what one of them did, told by a server that only speaks the
protocol. For golden screens, whose content has to be the same each time. Latencies are those that
docs/bench.md has for emulation, and all else is told as a machine without KVM has it."""

import base64
import contextlib
import math
import random
import struct
import time
import zlib

from terminal import FakeServer, made_up, made_up_end

NAMES = [("research-agent", "claude", "python", "running", 42), ("build-and-test", "claude", "shell", "waiting_input", 7),
         ("etl-nightly", "adk", "python", "idle", 128), ("scrape-prices", "adk", "javascript", "running", 19),
         ("plot-experiments", "claude", "python-data", "idle", 9), ("fuzz-parser", "ci", "shell", "running", 3),
         ("notebook", None, "python", "idle", 11), ("refactor-js", "claude", "javascript", "idle", 5),
         ("review", "ci", "shell", "starting", 0), ("data-cleaning", "adk", "python", "idle", 31)]
TRAINING = "for epoch in range(20):\n    train(model, batches)\n    print(evaluate(model))"
HOUR = 3600.0

TRACE = """Traceback (most recent call last):
  File "<cell 4>", line 2, in <module>
    totals = frame.groupby("contry")["price"].sum()
             ^^^^^^^^^^^^^^^^^^^^^^^
KeyError: 'contry'
"""
TABLE = """         items    price
country
DE         812  40211.5
FR         640  33120.0
JP         977  71003.2
"""
TESTS = """\x1b[32m✓\x1b[0m parses numbers \x1b[2m(3 ms)\x1b[0m
\x1b[32m✓\x1b[0m parses strings with “quotes” and 日本語 \x1b[2m(1 ms)\x1b[0m
\x1b[31m✕\x1b[0m refuses what is not JSON \x1b[2m(12 ms)\x1b[0m
"""
REPORT = '''"""Prices by country, as a table and as a figure."""

import pathlib

import pandas as pd

SOURCE = pathlib.Path("prices.csv")


def load(path: pathlib.Path = SOURCE) -> pd.DataFrame:
    frame = pd.read_csv(path)
    return frame.dropna(subset=["price"])  # 3 % of the rows


if __name__ == "__main__":
    print(load().groupby("country").sum())
'''


def picture(width, height):
    """A figure: three curves on paper, as PNG."""
    ink = [(38, 110, 190), (214, 96, 40), (60, 150, 80)]
    rows = [bytearray(b"\xfb\xfb\xf8" * width) for _ in range(height)]

    def dot(x, y, colour):
        if 0 <= x < width and 0 <= y < height:
            rows[y][3 * x:3 * x + 3] = bytes(colour)

    edge, scale = width // 24, width / 480
    for number, colour in enumerate(ink):
        for step in range(edge * 4, (width - edge // 2) * 4):
            x = step / 4 / scale
            level = 1.6 * math.exp(-x / (60 + 70 * number)) + 0.12 * math.sin(x / (9 + 4 * number)) * math.exp(-x / 200)
            for thick in range(-2, 3):
                dot(step // 4, int(height - edge - (8 + level * 115) * scale) + thick, colour)
    for y in range(edge // 2, height - edge + 2):
        dot(edge, y, (60, 60, 60)), dot(edge + 1, y, (60, 60, 60))
    for x in range(edge, width - edge // 2):
        dot(x, height - edge, (60, 60, 60)), dot(x, height - edge + 1, (60, 60, 60))
    raw = b"".join(b"\0" + bytes(row) for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def cell(number, code, stdout="", stderr="", ms=3.0, client="claude-code", begin=4 * HOUR, **more):
    made = {"cell": number, "image": "python", "client": client, "mode": "kernel", "code": code, "state": "done",
            "stdout": stdout, "stderr": stderr, "exit_code": 0, "signal": None, "timed_out": False,
            "interrupted": False, "oom": False, "state_lost": False, "truncated": {"stdout": 0, "stderr": 0},
            "files": [], "started_at": time.time() - begin + 60 * number, "wall_ms": ms, "cpu_ms": ms * 0.9,
            "peak_memory_bytes": (90 + 7 * number) << 20, "incarnation": 1}
    made.update(more)
    return made


def python_cells(size):
    figure = {"mime": "image/png", "base64": base64.b64encode(picture(*size)).decode()}
    return [
        cell(1, "import pandas as pd\nframe = pd.read_csv('prices.csv')\nframe.shape", value="(2429, 4)", ms=412.0),
        cell(2, "%pip list | head -2", client="glassbell tui ada", mode="shell", stdout="Package  Version\n", ms=88.0),
        cell(3, "def clean(frame):\n    \"\"\"Without what cannot be read.\"\"\"\n"
                "    good = frame[frame.price > 0]  # some are negative\n"
                "    print(f'{len(frame) - len(good)} rows left out')\n    return good\n\nframe = clean(frame)",
             stdout="17 rows left out\n", stderr="UserWarning: 3 columns have mixed types\n", ms=31.0,
             annotation={"bookmark": True, "note": "negative ones are refunds: keep them?", "at": time.time()}),
        cell(4, "# by country\ntotals = frame.groupby(\"contry\")[\"price\"].sum()", stderr=TRACE, ms=7.4, exit_code=1),
        cell(5, "totals = frame.groupby('country').sum()\nprint(totals)\ntotals.to_csv('totals.csv')", stdout=TABLE,
             ms=12.6, files=[{"path": "totals.csv", "change": "added", "size": 812},
                             {"path": "cache/frame.parquet", "change": "changed", "size": 61 << 10},
                             {"path": "old.csv", "change": "removed", "size": 0}]),
        cell(6, "while True:\n    step()", ms=30000.0, timed_out=True, interrupted=False, exit_code=None,
             stdout="".join(f"\rstep {n}" for n in range(1, 40)), note="it was stopped after 30 s"),
        cell(7, "plt.plot(losses); plt.show()", displays=[figure], ms=187.0),
        cell(8, "name = input('Whom shall the report greet? ')", client="glassbell tui ada",
             stdout="Whom shall the report greet? Ada\n", ms=5211.0),
        cell(9, "f'Hello {name}: {totals.price.sum():,.2f}'", client="glassbell tui ada",
             value="'Hello Ada: 144,334.70'", ms=0.4)]


def javascript_cells():
    return [
        cell(1, "const rows: number[] = await load('prices.json')\nrows.length", value="2429", ms=64.0),
        cell(2, "for (const [name, run] of tests) await run(name)", stdout=TESTS, stderr="1 of 3 failed\n", ms=18.0),
        cell(3, "class Parser extends Base {\n  /* one token ahead */\n  next() { return this.#peek ?? `end ${this.at}` }\n}",
             ms=0.7),
        cell(4, "JSON.parse('{]')", stderr="Uncaught SyntaxError: Expected property name or '}' in JSON at position 1\n",
             ms=0.9, exit_code=1),
        cell(5, "rows.slice(0, 3)", value="[ 12.5, 99, 4.25 ]", ms=0.3)]


def shell_cells():
    return [
        cell(1, "git clone --depth 1 \"$REMOTE\" src && cd src", stdout="Cloning into 'src'...\n", ms=1840.0),
        cell(2, "for f in *.c; do\n    cc -O2 -c \"$f\" || exit 3  # one after another\ndone", ms=9120.0,
             stderr="parse.c:88:14: \x1b[35mwarning:\x1b[0m unused variable ‘end’\n", files=[
                 {"path": f"src/{name}.o", "change": "added", "size": 9000} for name in ("lex", "main", "parse")]),
        cell(3, "make check | tail -1; (exit 3)", stdout="12 of 13 tests passed\n", ms=2230.0, exit_code=3),
        cell(4, "./fuzz corpus", ms=4100.0, exit_code=None, signal="SIGKILL", oom=True, state_lost=True,
             note="the VM had no memory left"),
        cell(5, "uname -sr; echo $((6 * 7))", stdout="Linux 6.12.57+deb13-amd64\n42\n", client="glassbell tui ada", ms=4.0)]


def past_cells():
    """Of a session that was taken back from the eighth to the fifth."""
    codes = ["import torch", "model = Net(width=64)", "losses = train(model, epochs=3)", "losses[-1]",
             "torch.save(model, 'net.pt')", "model = Net(width=4096)", "losses = train(model, epochs=300)", "losses[-1]",
             "losses = train(model, epochs=5)", "losses[-1]", "plot(losses)"]
    made = [cell(number + 1, code, client="glassbell tui ada", ms=40.0 + 97 * number) for number, code in enumerate(codes)]
    for number, value in ((3, "0.4127"), (7, "nan"), (9, "0.2961")):
        made[number]["value"] = value
    made[4]["files"] = [{"path": "net.pt", "change": "added", "size": 48 << 10}]
    made[8]["files"] = [{"path": "net.pt", "change": "changed", "size": 48 << 10}]
    made[10]["files"] = [{"path": "losses.svg", "change": "added", "size": 9 << 10}]
    for undone in made[5:8]:
        undone["undone"] = True
    return made


FILES = {".": [("cache", "dir", 0), ("figures", "dir", 0), ("prices.csv", "file", 188_412), ("report.py", "file", 0),
               ("latest", "symlink", 10), ("totals.csv", "file", 812), ("model.bin", "file", 48 << 20)]}
MATCHES = [("perf_counter", "function"), ("perf_counter_ns", "function"), ("process_time", "function"),
           ("process_time_ns", "function"), ("pthread_getcpuclockid", "function")]


class Scene(FakeServer):
    """The sessions of NAMES; three of them have a history, one has files, and the prompt is answered."""

    def __init__(self, folder, figure=(480, 240)):
        now, sessions = int(time.time()), []
        for number, (label, owner, image, state, cells) in enumerate(NAMES):
            sessions.append(made_up(
                number, label=label, owner=owner, image=image, state=state, cells=cells, language=image.split("-")[0],
                created_at=now - (number + 1.5) * HOUR, last_active_at=now - (0.5 + number % 4) * HOUR,
                timing={"total_ms": 96.1, "admission_ms": 0.1, "boot_ms": 91.2, "worker_ms": 4.8},
                guest_memory={"total": 470 << 20, "used": (80 + 31 * number) << 20, "available": 200 << 20}))
        # A zone where it is half past twelve now, so that times of day are the same each time.
        behind = int(now - 12.5 * HOUR) % 86400
        self.zone = f"NOON+{behind // 3600:02}:{behind // 60 % 60:02}:{behind % 60:02}"
        self.histories = {"plot-experiments": python_cells(figure), "refactor-js": javascript_cells(),
                          "build-and-test": shell_cells()}
        super().__init__(folder, sessions)
        self.ended = [
            made_up_end(20, "nightly-report", "closed", "closed by claude-code", 1, image="python-data", language="python", cells=3),
            made_up_end(21, "crawl-prices", "lost", "its VM ended: guest out of memory (killed by the kernel at 512M)", 2, cells=64),
            made_up_end(22, "scratch", "closed", "idle for 30 min: expired", 3, cells=1),
            made_up_end(23, "migrate-users", "lost", "the server ended before the session did", 30, owner="ci", cells=212),
            made_up_end(24, "日本語の表", "closed", "its lifetime of 24 h was over", 52, cells=9)]
        self.histories["nightly-report"] = python_cells(figure)[:3]
        # One that was taken back, and the fork of another one.
        self.histories["notebook"] = past_cells()
        self.sessions[9].update(origin={"session": self.id("etl-nightly"), "checkpoint": 97, "cell": 97}, source="fork")
        self.running = [{"session": self.id("build-and-test"), "cell": 6, "client": "claude-code", "mode": "kernel",
                         "code": "read -r -p 'Deploy to the test host? [y/N] ' answer", "state": "running",
                         "waiting": True, "started_at": now - 2.5 * HOUR}]

    def id(self, label):
        return next(session["session"] for session in self.sessions if session["label"] == label)

    def _answer(self, connection, call):
        name = "_" + call["method"].replace(".", "_")
        if not hasattr(self, name):
            super()._answer(connection, call)
            return
        self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "result": getattr(self, name)(call.get("params", {}))})

    def _session_checkpoints(self, params):
        """Of the moment after each cell of the one that has a past."""
        known = self.histories["notebook"] if params["session"] == self.id("notebook") else []
        return {"checkpoints": [{"seq": cell["cell"], "parent": {1: None, 3: 1, 9: 5}.get(cell["cell"], cell["cell"] - 1),
                                 "cell": cell["cell"], "epoch": 1, "at": cell["started_at"], "bytes": 158 << 10,
                                 "name": "trained" if cell["cell"] == 5 else None, "here": cell["cell"] == 11} for cell in known if cell["cell"] != 2],
                "more": False, "epoch": 2, "bytes": 17 << 20}

    def _network(self, params):
        return params["session"] == self.id("notebook")

    def _session_network(self, params):
        if not self._network(params):
            return {"network": "none", "rules": "", "open": 0, "opened": 0, "denied": 0, "received": 0, "sent": 0,
                    "questions": [], "ports": [], "listening": []}
        return {"network": "index", "rules": "allow pkgs.example tls\nallow *.example http\n", "open": 0, "opened": 3, "denied": 2,
                "received": 5_731_402, "sent": 4_119, "questions": [],
                "ports": [{"port": 8000, "address": "127.0.0.1:41234", "open": 1, "opened": 4, "received": 2048, "sent": 91_000}],
                "listening": [{"port": 5000}, {"port": 8000}]}

    def _session_network_log(self, params):
        """The connections of one session, in the order in which they ended."""
        now = int(time.time())
        known = [{"kind": "policy", "name": "index", "rule": "allow pkgs.example tls\nallow *.example http\n", "client": "glassbell tui ada"},
                 {"kind": "connection", "cell": 1, "connection": 1, "name": "pkgs.example", "address": "192.0.2.7", "port": 443, "line": 1,
                      "rule": "allow pkgs.example tls", "received": 5_600_000, "sent": 2_900, "ms": 1840.0},
                 {"kind": "denied", "cell": 3, "connection": 2, "name": "telemetry.example.org", "port": 443, "reason": "no_rule"},
                 {"kind": "request", "cell": 4, "connection": 3, "name": "api.example", "port": 443,
                      "rule": "GET /v2/models/latest/weights 200 API_KEY"},
                 {"kind": "connection", "cell": 4, "connection": 3, "name": "api.example", "address": "2001:db8::17", "port": 443, "line": 2,
                      "rule": "allow *.example http", "received": 131_402, "sent": 1_219, "ms": 210.0},
                 {"kind": "connection", "cell": 9, "connection": 4, "name": "files.example", "address": "192.0.2.9", "port": 80, "line": 2,
                      "rule": "allow *.example http", "received": 0, "sent": 0, "ms": 30.0, "reason": "reset"},
                 {"kind": "denied", "cell": 9, "connection": 5, "address": "10.0.0.1", "port": 22, "reason": "private_address"},
                 {"kind": "port", "port": 8000, "address": "127.0.0.1:41234", "reason": "opened", "client": "glassbell tui ada"},
                 {"kind": "visit", "connection": 6, "port": 8000, "address": "127.0.0.1:41234", "received": 512, "sent": 30_000, "ms": 12.0}]
        empty = {"cell": None, "name": None, "address": None, "rule": None, "received": 0, "sent": 0, "ms": 0, "reason": None, "client": None}
        return {"records": [{**empty, "number": number, "at": now - 4 * HOUR + 60 * number, **record}
                            for number, record in enumerate(known, 1) if self._network(params) and number > params["after"]],
                "more": False}

    def _terminal_list(self, params):
        now, known = int(time.time()), [
            {"args": ["htop"], "rows": 40, "columns": 120, "clients": 0, "typed_by": None, "running": False, "exit_code": 0},
            {"args": [], "rows": 12, "columns": 60, "clients": 2, "typed_by": "glassbell shell ada", "running": True, "exit_code": None},
            {"args": ["python3", "-m", "pdb", "train.py"], "rows": 24, "columns": 80, "clients": 1, "typed_by": "claude-code", "running": True,
                 "exit_code": None}]
        return {"terminals": [{"terminal": number, "signal": None, "started_at": now - (5.5 - number) * HOUR, **terminal}
                              for number, terminal in enumerate(known, 1) if self._network(params)]}

    def _terminal_attach(self, params):
        text = "\x1b[H\x1b[2J> /data/train.py(17)<module>()\r\n-> \x1b[1mloss\x1b[m = step(batch)\r\n(Pdb) \x1b[32mp loss\x1b[m\r\n" \
               "tensor(\x1b[36m0.2961\x1b[m)\r\n(Pdb) "
        self.notify("terminal.output", {"session": params["session"], "terminal": params["terminal"], "text": text})
        return {}

    def notify(self, method, params):
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                self._send(connection, {"jsonrpc": "2.0", "method": method, "params": params})

    def _session_history(self, params):
        label = next(session["label"] for session in [*self.sessions, *self.ended] if session["session"] == params["session"])
        cells = [{**cell, "session": params["session"]} for cell in self.histories.get(label, [])
                 if cell["cell"] > params.get("after", 0)][:params.get("limit", 100)]
        if params.get("output", True):
            return {"cells": cells, "more": False}
        brief = [{**cell, "stdout_bytes": len(cell["stdout"]), "stderr_bytes": len(cell["stderr"]),
                  "displays": [{"mime": display["mime"], "bytes": len(display["base64"]) * 3 // 4}
                               for display in cell.get("displays", [])]} for cell in cells]
        for cell in brief:
            del cell["stdout"], cell["stderr"]
        return {"cells": brief, "more": False}

    @staticmethod
    def _file_list(params):
        now = time.time()
        return {"entries": [{"name": name, "type": kind, "size": size or len(REPORT), "mtime": now - HOUR * (2.5 + number),
                             "mode": 0o644} for number, (name, kind, size) in enumerate(FILES.get(params["path"], []))],
                "more": False}

    @staticmethod
    def _file_read(params):
        text = REPORT if params["path"].endswith(".py") else "country,price\nDE,40211.5\nFR,33120.0\nJP,71003.2\n"
        return {"text": text, "size": len(text), "eof": True}

    def _session_exec(self, params):
        """Whatever is run gives 42."""
        done = cell(10, params["code"], client="glassbell tui ada", value="42", ms=0.6, begin=3 * HOUR,
                    session=params["session"])
        self.tell("cell.finished", session=params["session"], cell=10, info=done)
        return done

    @staticmethod
    def _session_is_complete(params):
        open_ = params["code"].rstrip().endswith(":")
        return {"status": "incomplete", "indent": "    "} if open_ else {"status": "complete"}

    @staticmethod
    def _session_complete(params):
        start = params["code"].rfind(".") + 1
        return {"start": start, "end": params["cursor"], "matches": [{"text": text, "type": kind}
                                                                     for text, kind in MATCHES]}

    @staticmethod
    def _session_describe(params):
        name = params["code"].rpartition(".")[2]
        return {"type": "function", "signature": "()", "summary": "Performance counter for benchmarking."
                if "perf" in name else "Process time for profiling: sum of the kernel and user-space CPU time."}

    def _session_lease(self, params):
        lease = None if params["action"] == "release" else self.lease(1, "glassbell tui ada", True)
        self.tell("lease.changed", session=params["session"], lease=lease)
        return {"lease": lease}

    @staticmethod
    def lease(client, holder, human):
        return {"client": client, "holder": holder, "since": time.time() - 2.5 * HOUR, "human": human, "note": None}

    def live(self, seconds=180, seed=7):
        """A while of figures at once, and what the agents did."""
        chance = random.Random(seed)
        memory = [60e6 + 150e6 * chance.random() for _ in self.sessions]
        cpu = [1000.0] * len(memory)
        begin = time.time() - seconds
        for session in self.sessions:
            info = {"client": "claude-code", "code": TRAINING, "started_at": begin - 2.5 * HOUR}
            if session["state"] == "running":
                self.tell("cell.started", session=session["session"], cell=session["cells"], info=info)
            elif session["label"] == "etl-nightly":
                self.tell("cell.finished", session=session["session"], cell=session["cells"], info={
                    **info, "client": "adk worker", "code": "df.merge(prices, on='sku')", "exit_code": 1, "wall_ms": 812})
        for second in range(seconds):
            figures = []
            for number, session in enumerate(self.sessions):
                swing = 0.1 * math.sin(second / (4 + 3 * number)) + chance.uniform(-0.04, 0.04)
                memory[number] = max(40e6, min(440e6, memory[number] * (1 + swing)))
                cpu[number] += chance.uniform(250, 1000) if session["state"] == "running" else chance.uniform(0, 8)
                figures.append({"session": session["session"], "memory_bytes": int(memory[number]), "cpu_ms": cpu[number]})
            self.tell("sample", at=begin + second, sessions=figures,
                      host={"cpus": 4, "private_bytes": 600 << 20, "shared_bytes": 900 << 20})
