# SPDX-License-Identifier: Apache-2.0
"""What a server that has to last for months meets: nonsense, kill -9, and everything at once.

The numbers are small here; GLASSBELL_HARDEN_LINES, _KILLS and _SOAK (threads,execs,sessions,restarts)
make them large: 100000, 1000 and 32,50,16,10.
"""

import json
import os
import random
import signal
import socket
import threading

from support import DEADLINE, Failure, Server, Session, alive, forgetful, out, wait_for

LINES = int(os.environ.get("GLASSBELL_HARDEN_LINES", "3000"))
KILLS = int(os.environ.get("GLASSBELL_HARDEN_KILLS", "4"))
SOAK = [int(n) for n in os.environ.get("GLASSBELL_HARDEN_SOAK", "6,6,3,1").split(",")]


# ---- nonsense ----

def requests(session):
    """One good line of each method; nothing in them starts a VM or ends the server."""
    def line(method, **params):
        return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    paths = {"session": session, "path": "f"}
    return [
        line("hello", client="nonsense/1", protocol=1), line("session.list", state="idle", limit=3),
        line("session.list", state="closed"), line("stats"), line("pool.status"),
        line("session.open", image="none", key="k", env={"A": "b"}, memory_mb=192, idle_ms=1),
        line("run", image="none", code="1", stdin="x", max_stdout=5, stream=True),
        line("session.exec", session=session, code="true", timeout_ms=500, env={"A": "b"}, stream=True),
        line("session.stdin", session=session, text="x", eof=True),
        line("session.interrupt", session=session), line("session.get", session=session),
        line("session.complete", session=session, code="ec", cursor=2),
        line("session.is_complete", session=session, code="if"),
        line("session.describe", session=session, code="print"),
        line("session.history", session=session, after=1, limit=3, output=False,
             offset=-9, length=5),
        line("session.lease", session=session, action="release", note="n", to="x"),
        line("file.write", text="abc", offset=0, final=True, mode=420, **paths),
        line("file.write", base64="YWJj", **paths), line("file.read", offset=0, length=10, **paths),
        line("file.list", session=session, path=".", limit=2), line("file.stat", **paths),
        line("file.mkdir", session=session, path="d"), line("file.remove", recursive=False, **paths),
        line("events.subscribe", kinds=["cell.started"], sessions=[session], output=True),
        line("events.unsubscribe", subscription=1),
    ]


def mutated(rng, lines):
    """A line that is nearly one, or nothing like one; never with a newline in it."""
    data = bytearray(rng.choice(lines))
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = rng.choice((b'"', b"\\", b"{", b"[" * 40, b"\\ud800", b"\xff", b"null,",
                                      b"1e999", b"-", b"\\u0000", b"9" * 30, b'"a":1,'))
        elif kind == 3:
            data[at:at] = data[at:at + rng.randrange(1, 40)]
        elif kind == 4:
            other = rng.choice(lines)
            data = data[:at] + other[rng.randrange(len(other)):]
        else:
            data = bytearray(rng.randbytes(rng.randrange(1, 200)))
        data = data or bytearray(b"x")
    return bytes(data).replace(b"\n", b" ").replace(b"server.shutdown", b"server.shutter")


def test_nonsense_is_answered_and_nothing_else(server, client):
    """Each line has exactly one answer, and the server goes on."""
    rng = random.Random(20)
    pid = client.call("hello")["pid"]
    s = Session(client, "shell", timeout_ms=500, idle_ms=0)
    lines = requests(s.id)
    left = LINES
    while left > 0:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(DEADLINE)
            peer.connect(str(server.socket))
            answers = peer.makefile("rb")
            for _ in range(20):
                batch = [mutated(rng, lines) for _ in range(min(50, left))]
                peer.sendall(b"".join(line + b"\n" for line in batch))
                waiting = len(batch)
                while waiting > 0:
                    answer = json.loads(answers.readline())
                    if "method" not in answer:  # what is streamed, and events, come between
                        assert ("result" in answer) != ("error" in answer)
                        waiting -= 1
                left -= len(batch)
                if left == 0:
                    break
            peer.sendall(rng.randbytes(rng.randrange(1, 300)))  # and half a line at the end
    assert client.call("hello")["pid"] == pid
    assert out(s.exec("echo well", timeout_ms=30000)) == "well\n"
    s.close()


# ---- kill -9 ----

def kill(server):
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


def vms(client):
    return [vm["pid"] for vm in client.call("stats")["vms"] if vm["session"]]


def test_killed_at_any_moment():
    """Nothing that was acknowledged is lost, the next server starts, and the VMs are gone."""
    rng = random.Random(9)
    server = forgetful()
    try:
        for number in range(KILLS):
            with server.client() as client, server.client() as other:
                s = Session(client, "shell", key=f"k{number % 3}")
                t = Session(other, "shell")
                processes = vms(client)
                acknowledged = {s.id: {}, t.id: {}}
                pending = []
                for i in range(rng.randrange(1, 25)):
                    session = rng.choice((s, t))
                    size = rng.choice((0, 10, 10_000, 200_000))
                    code = f"echo {number}.{i}; head -c {size} /dev/zero | tr '\\0' x"
                    pending.append((session, f"{number}.{i}\n" + "x" * size, session.send(code)))
                for _ in range(rng.randrange(len(pending) + 1)):
                    session, wanted, request = pending.pop(0)
                    cell = request.wait()
                    assert out(cell) == wanted
                    acknowledged[session.id][cell["cell"]] = wanted
                kill(server)  # with what is left of the cells under way
                for session, wanted, request in pending:
                    try:
                        cell = request.wait()  # answered before the kill, read after it
                        acknowledged[session.id][cell["cell"]] = wanted
                    except (ConnectionError, Failure):
                        pass
            server.start()
            with server.client() as client:
                for session, cells in acknowledged.items():
                    kept = {}
                    while True:
                        reply = client.call("session.history", session=session,
                                            after=max(kept, default=0), limit=1000)
                        kept.update({cell["cell"]: cell for cell in reply["cells"]})
                        if not reply["more"]:
                            break
                    for at, wanted in cells.items():
                        assert "error" not in kept[at] and out(kept[at]) == wanted
                    for at in kept.keys() - cells.keys():  # not acknowledged: lost, or just done
                        assert kept[at].get("error", {}).get("kind", "outcome_unknown") == \
                            "outcome_unknown"
            for process in processes:
                wait_for(lambda: not alive(process), what="the end of a VM")
        server.stop()
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


# ---- everything at once ----

class Soak:
    """Threads that run cells with a token each, while clients die, cells are interrupted, and the
    server is killed and started again."""

    def __init__(self, threads, execs, sessions, restarts):
        self.threads, self.execs, self.sessions, self.restarts = threads, execs, sessions, restarts
        self.server = Server()
        self.up = threading.Condition()
        self.generation = 1  # of the server; 0 while it is down
        self.done = 0        # cells that were sent and settled
        self.acknowledged, self.unknown, self.seen, self.problems = {}, set(), set(), []

    def connect(self):
        with self.up:
            assert self.up.wait_for(lambda: self.generation > 0, DEADLINE)
        return self.server.client()

    def settle(self, token, cell, session):
        with self.up:
            if cell is None:
                self.unknown.add(token)
            else:
                self.acknowledged[token] = (session, cell["cell"], cell["interrupted"])
            self.done += 1
            self.up.notify_all()

    def work(self, number):
        rng = random.Random(number)
        client = None
        for i in range(self.execs):
            token = f"t{number}.{i}"
            while True:  # until the cell was sent: what never was may be tried again
                try:
                    client = client or self.connect()
                    key = f"soak{rng.randrange(self.sessions)}"
                    session = client.call("session.open", image="shell", key=key)["session"]
                    with self.up:
                        self.seen.add(session)
                    pending = client.send("session.exec", session=session, code=f"echo {token}")
                    break
                except (ConnectionError, OSError):
                    client = None
                except Failure as failure:
                    assert failure.kind in ("busy", "session_closed", "capacity", "boot_failed"), failure
            if rng.random() < 0.1:
                client.sock.shutdown(socket.SHUT_RDWR)  # dies with its cell under way
            if rng.random() < 0.1:
                try:
                    client.send("session.interrupt", session=session)
                except (ConnectionError, OSError):
                    pass
            try:
                cell = pending.wait()
                assert out(cell) == f"{token}\n" or cell["interrupted"], (token, cell)
                assert out(cell) in ("", f"{token}\n"), (token, cell)
                self.settle(token, cell, session)
            except (ConnectionError, OSError):
                client = None
                self.settle(token, None, session)
            except Failure as failure:
                assert failure.kind in ("outcome_unknown", "session_closed", "busy"), failure
                self.settle(token, None, session)
        if client:
            client.close()

    def guarded(self, number):
        try:
            self.work(number)
        except BaseException as problem:  # told by the main thread
            with self.up:
                self.problems.append(problem)
                self.up.notify_all()

    def run(self):
        threads = [threading.Thread(target=self.guarded, args=(n,)) for n in range(self.threads)]
        total = self.threads * self.execs
        for thread in threads:
            thread.start()
        for restart in range(1, self.restarts + 1):
            with self.up:
                self.up.wait_for(lambda: self.problems or
                                 self.done >= restart * total // (self.restarts + 1))
                self.generation = 0
            kill(self.server)
            self.server.start()
            with self.up:
                self.generation = restart + 1
                self.up.notify_all()
        for thread in threads:
            thread.join()
        assert not self.problems, self.problems

    def check(self):
        """The journal agrees with what the clients were told, and no code ran twice."""
        runs = {}
        with self.server.client() as client:
            for session in self.seen:
                after, more = 0, True
                while more:
                    reply = client.call("session.history", session=session, after=after, limit=1000)
                    for cell in reply["cells"]:
                        runs.setdefault(cell["code"].removeprefix("echo "), []).append(cell)
                        after = cell["cell"]
                    more = reply["more"] and reply["cells"]
            for token, (session, number, interrupted) in self.acknowledged.items():
                cell, = runs[token]
                assert (cell["session"], cell["cell"]) == (session, number)
                assert cell["interrupted"] == interrupted and "error" not in cell
            for token in self.unknown:
                assert len(runs.get(token, [])) <= 1
            assert runs.keys() <= self.acknowledged.keys() | self.unknown
            for opened in client.call("session.list")["sessions"]:
                client.call("session.close", session=opened["session"])
            assert vms(client) == []


def test_everything_at_once():
    soak = Soak(*SOAK)
    try:
        soak.run()
        soak.check()
        soak.server.stop()
    finally:
        if soak.server.process.poll() is None:
            soak.server.process.kill()
            soak.server.process.wait()
    assert len(soak.acknowledged) + len(soak.unknown) == SOAK[0] * SOAK[1]
