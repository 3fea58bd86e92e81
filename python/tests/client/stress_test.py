# SPDX-License-Identifier: Apache-2.0
"""Many threads, few sessions, calls given up at random: no wrong result, nothing run twice, nothing
lost without a word. With GLASSBELL_STRESS=full, more of everything, and a server that is restarted."""

import os
import random
import threading

import pytest

import glassbell
from support import Server

FULL = os.environ.get("GLASSBELL_STRESS") == "full"
THREADS, ROUNDS, SESSIONS = (32, 50, 16) if FULL else (32, 8, 2)
CODE = """\
marks = globals().setdefault("marks", [])
marks.append({mark!r})
{work}
print({mark!r} * 3)
"""


class Worker(threading.Thread):
    def __init__(self, number, client, down):
        super().__init__()
        self.random = random.Random(number)
        self.number, self.client, self.down = number, client, down
        self.done, self.unknown, self.refused = {}, [], []
        self.problems = []

    def run(self):
        try:
            for turn in range(ROUNDS):
                self.turn(f"{self.number}.{turn};")
        except BaseException as problem:
            self.problems.append(problem)

    def turn(self, mark):
        key = f"stress-{self.random.randrange(SESSIONS)}"
        while True:
            try:
                session = self.client.open("python", key=key, idle=600)
                execution = session.stream(
                    CODE.format(mark=mark, work=self.random.choice((
                        "", "import time; time.sleep(0.02)", "x = 'a' * 100000; print(x[:0])"))),
                    quiet=self.random.random() < 0.5)
                timer = None
                if self.random.random() < 0.2:
                    timer = threading.Timer(self.random.random() * 0.05, execution.cancel)
                    timer.start()
                try:
                    cell = execution.finish()
                finally:
                    if timer:
                        timer.cancel()
                        timer.join()
                assert cell.ok and cell.stdout.split("\n")[-2] == mark * 3, cell.raw
                self.done[mark] = (cell.session, cell.cell)
                return
            except glassbell.GlassbellError as problem:
                if problem.dispatched:
                    self.unknown.append(mark)
                    return
                if isinstance(problem, glassbell.ConnectionFailed) and execution_cancelled(problem):
                    self.refused.append(mark)
                    return
                # Nothing ran: the same again, when the server is back.
                self.down.wait(60)


def execution_cancelled(problem):
    return "had left" in problem.message


@pytest.mark.timeout(1800 if FULL else 300)
def test_many_threads_few_sessions():
    with Server() as server:
        client = glassbell.Client(server.socket, autostart=False)
        up = threading.Event()
        up.set()
        workers = [Worker(number, client, up) for number in range(THREADS)]
        descriptors = len(os.listdir("/proc/self/fd"))
        for worker in workers:
            worker.start()
        if FULL:
            for _ in range(3):
                workers[0].join(20)
                up.clear()
                server.process.kill()
                server.process.wait()
                server.start()
                up.set()
        for worker in workers:
            worker.join(1500 if FULL else 240)
        assert not any(worker.is_alive() for worker in workers)
        assert not [problem for worker in workers for problem in worker.problems]
        done = {mark: where for worker in workers for mark, where in worker.done.items()}
        unknown = [mark for worker in workers for mark in worker.unknown]
        refused = [mark for worker in workers for mark in worker.refused]
        assert len(done) + len(unknown) + len(refused) == THREADS * ROUNDS
        assert len(set(done.values())) == len(done)  # no result came to two callers
        marks = []
        for number in range(SESSIONS):
            session = client.open("python", key=f"stress-{number}")
            marks += eval(session.exec("globals().get('marks', [])").value)
        assert len(marks) == len(set(marks)), "code was run twice"
        assert not set(marks) & set(refused), "what was said not to have run did"
        assert FULL or set(done) <= set(marks), "a result without its code"
        assert set(marks) <= set(done) | set(unknown)
        client.close()
        assert len(os.listdir("/proc/self/fd")) <= descriptors
