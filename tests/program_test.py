# SPDX-License-Identifier: Apache-2.0
"""A real program on real data, by the command line: what comes back is right to the byte."""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from support import BINARY, RELEASE, ROOT, Server

PROGRAM = pathlib.Path(__file__).parent / "data/ledger.py"
ROWS = int(os.environ.get("GLASSBELL_LEDGER_ROWS", "25000"))
RESULTS = ["balances.csv", "monthly.csv", "report.json", "report.txt"]


def write_ledger(path):
    """The same file each time: many rows, some of them bad, with quotes, commas and umlauts."""
    source = random.Random(4711)
    accounts = [f"{source.choice(['AT', 'DE', 'FR', 'JP'])}{source.randrange(10**6):06d}" for _ in range(900)]
    kinds = ["deposit", "withdrawal", "transfer", "transfer", "fee"]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("when,kind,source,target,amount,note\n")
        for n in range(ROWS):
            kind = source.choice(kinds)
            a, b = source.sample(accounts, 2)
            amount = f"{source.lognormvariate(5, 1.7):.3f}"
            note = source.choice(["", "Miete", '"Öl, 5 l"', "größer", "ok", '"say ""hi"""'])
            when = f"20{source.randrange(20, 26)}-{source.randrange(1, 13):02d}-{source.randrange(1, 29):02d}" \
                   f"T{source.randrange(24):02d}:{source.randrange(60):02d}:{source.randrange(60):02d}"
            if n % 997 == 0:
                amount = source.choice(["-1", "nan", "x", ""])
            if n % 1499 == 0:
                when = "yesterday"
            file.write(",".join([when, kind, "" if kind == "deposit" else a,
                                 b if kind in ("deposit", "transfer") else "", amount, note]) + "\n")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the same program makes of the same data on this machine."""
    folder = tmp_path_factory.mktemp("here")
    write_ledger(folder / "ledger.in.csv")
    shutil.copy(PROGRAM, folder)
    result = subprocess.run(["/usr/bin/python3", "ledger.py"], cwd=folder, capture_output=True)
    assert result.returncode == 3
    return folder, result


def test_ledger_comes_out_right(server, expected, tmp_path):
    here, native = expected
    assert len(PROGRAM.read_text().splitlines()) >= 290
    assert len((here / "ledger.in.csv").read_text().splitlines()) == ROWS + 1
    command = [BINARY, "run", "-t", "240", "-m", "384", "--upload", f"{here}/ledger.in.csv:ledger.in.csv"]
    for name in RESULTS:
        command += ["--download", f"{name}:{tmp_path}/{name}"]
    result = subprocess.run([*command, str(PROGRAM)], env=server.env, capture_output=True, timeout=280)
    assert result.returncode == 3, result.stderr
    assert result.stdout == native.stdout and result.stderr == native.stderr
    for name in RESULTS:
        mine, theirs = (here / name).read_bytes(), (tmp_path / name).read_bytes()
        assert hashlib.sha256(mine).hexdigest() == hashlib.sha256(theirs).hexdigest(), name


def test_example_of_the_library():
    """The example program, built against glassbell.h and the shared library alone."""
    lines = (ROOT / "examples/hello.c").read_text().splitlines()[1:]  # without its licence
    assert len(lines) <= 60
    for preset in ("dev", "release"):
        with Folder() as folder:
            result = subprocess.run([str(ROOT / f"build/{preset}/examples/example-hello")], capture_output=True,
                                    timeout=120, env=folder.env)
            assert result.returncode == 0, result.stderr
            assert result.stdout == b"hello from 41\nvalue 42, exit code 0\n"


def test_example_of_time_travel():
    with Folder() as folder:
        program = ROOT / "build/dev/examples/example-time_travel"
        result = subprocess.run([str(program), f"{folder.path}/store"], capture_output=True, timeout=120, env=folder.env)
        assert result.returncode == 0, result.stderr
        assert result.stdout == b"the primes are []\nback after cell 1\nundone, they are [2, 3, 5, 7]\n"
        wrong = subprocess.run([str(program)], capture_output=True, timeout=120, env=folder.env)
        assert wrong.returncode == 1 and wrong.stderr.startswith(b"usage: ")


class Folder:
    """State folders of a program's own."""

    def __enter__(self):
        import os
        import tempfile
        self.path = tempfile.mkdtemp(prefix="glassbell-test-")
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.path, XDG_CACHE_HOME=self.path)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def test_first_client_starts_the_server(tmp_path):
    """Nothing runs; one command brings the server up, and the next finds it."""
    import os
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path), XDG_STATE_HOME=str(tmp_path / "state"))
    env.pop("GLASSBELL_SOCKET", None)
    for _ in range(2):
        result = subprocess.run([RELEASE, "run", "-l", "shell", "-c", "echo $((6*7))"], env=env,
                                capture_output=True, timeout=120)
        assert (result.returncode, result.stdout) == (0, b"42\n"), result.stderr
    socket = tmp_path / "glassbell/server.sock"
    from support import Client
    client = Client(socket)
    client.call("server.shutdown", drain=False)
    client.close()


def test_isolation_is_required_or_refused(tmp_path):
    with Server("--require-isolation") as server, server.client() as client:
        guard = client.call("hello")["guard"]
        assert guard["missing"] == [] and "seccomp" in guard["applied"]
