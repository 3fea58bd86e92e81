# SPDX-License-Identifier: Apache-2.0
"""Work for the pictures of the front end (screens.py): agents' sessions in real VMs of a server of their own, with
what real programs print. Nothing is made up but the prices."""

import contextlib
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from support import Client, Server, Session, wait_for

REPORT = '''"""Prices by country, as a table and as a figure."""

import pathlib

import pandas as pd

SOURCE = pathlib.Path("prices.csv")


def load(path: pathlib.Path = SOURCE) -> pd.DataFrame:
    frame = pd.read_csv(path)
    return frame.dropna(subset=["price"])


if __name__ == "__main__":
    print(load().groupby("country").sum())
'''
# Of one session: who runs it, the code, what else the call says.
DATA = [
    ("claude-code", "import pandas as pd\nframe = pd.read_csv('prices.csv')\nframe.shape", {}),
    ("ada", "python3 --version; uname -sr", {"mode": "shell"}),
    ("claude-code", "def clean(frame):\n    \"\"\"Without what cannot be read.\"\"\"\n"
     "    good = frame[frame.price > 0]  # some are negative\n"
     "    print(f'{len(frame) - len(good)} rows left out')\n    return good\n\nframe = clean(frame)", {}),
    ("claude-code", "# by country\ntotals = frame.groupby(\"contry\")[\"price\"].sum()", {}),
    ("claude-code", "totals = frame.groupby('country').price.agg(['count', 'sum', 'mean']).round(1)\nprint(totals)\n"
     "totals.to_csv('totals.csv')", {}),
    ("ada", "f'{totals[\"sum\"].sum():,.2f} in {len(totals)} countries'", {}),
]
TRAINING = ("import random, time\nweights = [random.random() for _ in range(200_000)]\nfor epoch in range(100_000):\n"
            "    weights = [w * 0.999 for w in weights]\n    time.sleep(0.3)")
POLLING = "const seen = []\nwhile (seen.length < 1e6) {\n  seen.push('x'.repeat(2e4)); await new Promise(r => setTimeout(r, 60))\n}"
TESTS = ("const tests = { 'parses numbers': () => JSON.parse('12.5e3') === 12500,\n"
         "  'parses strings with “quotes” and 日本語': () => JSON.parse('\"日本語\"').length === 3,\n"
         "  'refuses what is not JSON': () => { JSON.parse('{]') } }\n"
         "for (const [name, run] of Object.entries(tests)) {\n"
         "  try { console.log(run() ? '\\x1b[32m✓\\x1b[0m' : '\\x1b[31m✕\\x1b[0m', name) }\n"
         "  catch (error) { console.log('\\x1b[31m✕\\x1b[0m', name + ':', error.message) }\n}")


def prices(rows=2429, seed=7):
    """Some of them negative, as they come."""
    chance, lines = random.Random(seed), ["country,sku,price"]
    for number in range(rows):
        price = -1 if number % 143 == 7 else round(chance.lognormvariate(4, 0.5), 2)
        lines.append(f"{chance.choice(['DE', 'FR', 'JP', 'JP'])},{1000 + number},{price}")
    return "\n".join(lines) + "\n"


class Patient(Session):
    """A session whose template may still have to be made, which takes a while under emulation."""

    def __init__(self, client, **options):
        self.client = client
        self.opened = client.send("session.open", **options).wait(900)
        self.id = self.opened["session"]


class Work:
    """Sessions of agents and of a person on a server that is ours; gone with it."""

    def __init__(self):
        self.server = Server()
        self.path = self.server.socket
        self.clients = {}
        self.running = []

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = self.server.client()
            self.clients[name].call("hello", client="glassbell tui ada" if name == "ada" else name, protocol=1)
        return self.clients[name]

    def session(self, label, image, client, owner=None, **options):
        if owner is not None:
            options["owner"] = owner
        return Patient(self.client(client), image=image, label=label, idle_ms=0, **options)

    def leave_running(self, session, code, **options):
        self.running.append((session, session.send(code, timeout_ms=3_600_000, **options)))

    def begin(self):
        data = self.session("plot-experiments", "python-data", "claude-code", "claude", memory_mb=512)
        data.write("prices.csv", prices().encode())
        data.write("report.py", REPORT.encode())
        for client, code, more in DATA:
            self.client(client).send("session.exec", session=data.id, code=code, **more).wait(300)
        notebook = self.session("notebook", "python", "ada")
        notebook.exec("import statistics\nstatistics.mean([3, 5, 10])")
        scripts = self.session("refactor-js", "javascript", "claude-code", "claude")
        scripts.exec(TESTS)
        loads = self.session("etl-nightly", "python", "adk worker", "adk")
        loads.exec("rows = [line.split(',') for line in open('orders.csv')]")
        build = self.session("build-and-test", "shell", "claude-code", "claude")
        build.exec("mkdir -p src && cd src && for f in lex parse main; do echo \"int $f;\" > $f.c; done; ls -l")
        build.exec("cd src && grep -c int *.c; grep -q union *.c")
        self.leave_running(build, "read -r -p 'Deploy to the test host? [y/N] ' answer", interactive=True)
        self.leave_running(self.session("research-agent", "python", "claude-code", "claude"), TRAINING)
        self.leave_running(self.session("scrape-prices", "javascript", "adk worker", "adk"), POLLING)
        wait_for(lambda: build.get().get("waiting"), what="the question")

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(self, *_):
        for session, pending in self.running:
            with contextlib.suppress(Exception):
                session.close()
                pending.wait(20)
        for client in self.clients.values():
            client.close()
        self.server.stop()


def settle(seconds):
    """Until graphs have something to show: figures come once a second."""
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > end, timeout=seconds + 10, what="some figures")


__all__ = ["Client", "Work", "settle"]
