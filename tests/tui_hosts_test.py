# SPDX-License-Identifier: Apache-2.0
"""The front end with several hosts in one list: made-up servers, real ones, and one behind a real OpenSSH.

The screens in tests/screens/hosts-*.txt are written anew with GLASSBELL_WRITE_DOCS=1.
"""

import os
import pathlib
import subprocess
import tempfile
import time

import pytest

from scene import HOUR, Scene
from sshd import Sshd
from support import BINARY, DEADLINE, Server, wait_for
from terminal import PATIENCE, FakeServer, Terminal, made_up, steady
from tui_golden_test import WRITING, at_rest, read, undo_for_long, write

SCREENS = pathlib.Path(__file__).parent / "screens"


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="gb-") as name:
        yield pathlib.Path(name)


def sessions(*labels, **changes):
    """Made-up ones; the ids are the same on each server."""
    return [made_up(number, label=label, **changes) for number, label in enumerate(labels)]


def hosts_front(folder, *servers, words="", **options):
    """At the sockets of these servers."""
    sockets = " ".join(f"--socket {server.path}" for server in servers)
    return Terminal(folder, f"{BINARY} {sockets} {words}", **options)


def row(terminal, *texts):
    """The line of the list with all of these."""
    found = [line for line in terminal.screen().splitlines() if all(text in line for text in texts)]
    return found[0] if found else None


def calls(server, method):
    return [call["params"] for call in server.calls if call["method"] == method]


def test_one_list(folder):
    """Sessions of both, with their host; the same id on both is two sessions."""
    with FakeServer(folder, sessions("alpha", "beta"), "zeta.sock") as zeta, \
            FakeServer(folder, sessions("gamma"), "gpu.sock") as gpu, \
            hosts_front(folder, zeta, gpu, columns=140) as terminal:
        terminal.wait("alpha", "beta", "gamma", "HOST", "sessions (3)", "zeta.sock ▲ tcg", "gpu.sock ▲ tcg")
        assert row(terminal, "idle", "alpha", "zeta.s") and row(terminal, "idle", "gamma", "gpu.sock")
        terminal.command("filter host:gpu")
        terminal.wait("gamma", "1 of 3", without=["alpha", "beta"])
        terminal.command("all")
        terminal.command("tree host")
        screen = terminal.wait("▾ zeta.sock", "▾ gpu.sock", "as a tree by host")
        assert screen.index("▾ zeta.sock") < screen.index("▾ gpu.sock")  # as they were named
        terminal.command("tree table")
        terminal.command("sort host")
        terminal.wait("HOST▼", "sorted by host")
        # The id alone is that of two sessions.
        both = zeta.sessions[0]["session"]
        assert both == gpu.sessions[0]["session"]
        terminal.command(f"open {both}")
        terminal.wait(f"several sessions fit {both}")
        terminal.command(f"open gpu.sock:{both}")
        terminal.wait("gpu.sock › sessions (3) › gamma")
        wait_for(lambda: any(call.get("sessions") == [both] for call in calls(gpu, "events.subscribe")), what="its events")
        terminal.command("back")
        terminal.command(f"open zeta.sock:{both}")
        terminal.wait("zeta.sock › sessions (3) › alpha")
        terminal.command("back")
        terminal.wait("sessions (3)", without=["› alpha"])
        terminal.keys("q")
        assert terminal.status() == 0


def test_what_one_does_goes_to_the_right_host(folder):
    """Interrupt, close, undo, marks, fork, take: to the host of the session, and to no other."""
    with undo_for_long(folder), FakeServer(folder, sessions("alpha"), "a") as one, \
            FakeServer(folder, sessions("beta"), "b") as other, hosts_front(folder, one, other, columns=120) as terminal:
        identity = one.sessions[0]["session"]
        terminal.wait("alpha", "beta")
        terminal.command("interrupt b:beta")
        wait_for(lambda: calls(other, "session.interrupt"), what="the interrupt")
        terminal.command("fork beta")
        wait_for(lambda: calls(other, "session.fork"), what="the fork")
        terminal.command("close alpha")
        terminal.wait("alpha closes in", "◌ closing")
        assert row(terminal, "idle", "beta")
        terminal.keys("u")
        terminal.wait("alpha stays open", without=["◌ closing"])
        terminal.command("close beta")
        terminal.wait("beta closes in")
        terminal.command("close beta")
        wait_for(lambda: calls(other, "session.close") == [{"session": identity}], what="the close")
        terminal.command("mark all")
        terminal.wait("2 marked")
        terminal.command("interrupt")
        wait_for(lambda: calls(one, "session.interrupt") == [{"session": identity}] and
                 calls(other, "session.interrupt") == [{"session": identity}] * 2, what="both interrupts")
        terminal.command("mark none")
        # A new session is asked for where the user says.
        terminal.keys("n")
        terminal.wait("a:python", "b:python", "b:shell")
        terminal.keys("C-u")
        terminal.type("new b:shell made-here")
        terminal.keys("Enter")
        wait_for(lambda: calls(other, "session.open") == [{"image": "shell", "label": "made-here"}], what="the new session")
        terminal.command("open alpha")
        terminal.wait("a › ", "› alpha")
        terminal.keys("T")
        wait_for(lambda: calls(one, "session.lease"), what="the lease")
        for method in ("session.close", "session.open", "session.fork"):
            assert not calls(one, method), method
        assert not calls(other, "session.lease")


def test_a_host_that_is_lost(folder):
    """Its sessions stay, as of a lost link; the other host goes on, and nothing is sent when it is back."""
    with undo_for_long(folder), FakeServer(folder, sessions("alpha"), "a") as one:
        with FakeServer(folder, sessions("beta", "delta"), "b") as other:
            terminal = hosts_front(folder, one, other, columns=120)
            terminal.wait("alpha", "beta", "delta", "b ▲ tcg")
            terminal.command("close beta")
            terminal.wait("beta closes in")
        with terminal:
            (folder / "b").unlink()
            terminal.wait("✕ offline", "b ✕ lost, again at", "not closed: there is no link to b", "a ▲ tcg")
            assert row(terminal, "✕ offline", "beta") and row(terminal, "✕ offline", "delta") and row(terminal, "○ idle", "alpha")
            # The other one is as alive as before.
            one.tell("session.changed", session=one.sessions[0]["session"], info={**one.sessions[0], "state": "running"})
            terminal.wait("● running")
            terminal.command("filter state=offline")
            terminal.wait("beta", "2 of 3", without=["alpha"])
            terminal.command("all")
            terminal.command("new b:python")
            terminal.wait("there is no link to b")
            terminal.command("close beta")
            terminal.wait("not closed: there is no link to b")
            terminal.command("mark all")
            terminal.wait("3 marked")
            terminal.command("close")
            terminal.wait("alpha closes in", "takes that back; 2 not: there is no link to b")
            terminal.command("undo")
            terminal.wait("alpha stays open")
            terminal.command("mark none")
            terminal.command("fork beta")
            terminal.wait("not sent: there is no link to b")
            with FakeServer(folder, sessions("beta"), "b") as again:
                terminal.wait("b ▲ tcg", "b is back", without=["offline", "delta"])
                for method in ("session.close", "session.open", "session.fork"):
                    assert not calls(again, method), method
            terminal.keys("q")
            assert terminal.status() == 0


def test_all_are_lost(folder):
    with hosts_front(folder, FakeNothing(folder / "a"), FakeNothing(folder / "b"), words="--no-autostart", columns=120) as terminal:
        terminal.wait("There is no server.", "a: ", "b: ", "a ✕ lost", "b ✕ lost", ":reconnect tries to start one again")


class FakeNothing:
    def __init__(self, path):
        self.path = path


def test_hosts_that_do_not_answer_delay_nobody(folder):
    """More of them than libuv has threads by itself, and named first."""
    near = folder / "bin"
    near.mkdir()
    (near / "ssh").write_text(f"#!/bin/sh\necho $$ >>{folder}/pids\nexec sleep 100000\n")
    (near / "ssh").chmod(0o755)
    silent = " ".join(f"--host ssh://silent{number}" for number in range(6))
    pids = folder / "pids"
    try:
        with FakeServer(folder, sessions("alpha"), "a") as one, \
                Terminal(folder, f"{BINARY} {silent} --socket {one.path}", columns=160,
                         env={"PATH": f"{near}:{os.environ['PATH']}"}) as terminal:
            terminal.wait("alpha", "a ▲ tcg", "silent0 ◌ connecting", "silent5 ◌ connecting")
            wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 6, what="six attempts at once")
            assert "UV_THREADPOOL_SIZE" not in pathlib.Path(f"/proc/{pids.read_text().split()[0]}/environ").read_text()
            terminal.keys("q")
            assert terminal.status() == 0
    finally:
        for pid in pids.read_text().split() if pids.exists() else []:
            subprocess.run(["kill", pid], check=False, capture_output=True)


def refused(*arguments, **env):
    done = subprocess.run([BINARY, *arguments], env={**os.environ, "GLASSBELL_HOST": "", **env}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    assert done.returncode != 0
    return done.stderr


def test_many_lost_hosts_on_a_low_screen(folder):
    """The line of links is there, because something is wrong, and counts those without a place in it."""
    lost = [FakeNothing(folder / f"lost{number}") for number in range(9)]
    with FakeServer(folder, sessions("alpha"), "a") as one, \
            hosts_front(folder, one, *lost, words="--no-autostart", columns=80, rows=13) as terminal:
        screen = terminal.wait("alpha", "✓ 1 connected", "lost0 ✕ lost", "more")
        line, = [line for line in screen.splitlines() if "connected" in line]
        assert line.rstrip().endswith(f"and {9 - line.count('✕ lost')} more"), line
    with FakeServer(folder, sessions("beta"), "b") as one, FakeServer(folder, sessions("gamma"), "c") as other, \
            hosts_front(folder, one, other, columns=80, rows=13) as terminal:
        terminal.wait("beta", "gamma", without=["▲ tcg", "connecting"])


def test_bounds_and_names(tmp_path):
    many = [word for number in range(17) for word in ("--host", f"ssh://h{number}")]
    assert "at most 16 hosts" in refused(*many)
    assert " a is named twice" in refused("--host", "ssh://a", "--host", "ssh://a")
    assert "is named twice" in refused("--host", "local", "--host", "local")
    assert "there is no host nowhere" in refused("--host", "local", "--host", "nowhere")
    path = tmp_path / "glassbell.conf"
    path.write_text('[hosts]\nlocal = "ssh://b"\n')
    assert "[hosts] cannot name local, which is the server of this machine" in refused("tui", GLASSBELL_CONFIG=str(path))
    path.write_text('[hosts]\nbuild = "ssh://b"\n[tui]\nhosts = "build gpu"\n')
    said = refused("tui", GLASSBELL_CONFIG=str(path))
    assert "[tui] hosts" in said and "there is no host gpu" in said


def test_hosts_of_the_settings(folder):
    """Without an option: this machine, and those of `[tui] hosts`; with one only what it names."""
    near = folder / "bin"
    near.mkdir()
    (near / "ssh").write_text("#!/bin/sh\necho 'no route to build' >&2\nexit 255\n")
    (near / "ssh").chmod(0o755)
    conf = folder / "glassbell.conf"
    conf.write_text('[hosts]\nbuild = "ssh://ann@build.example"\nother = "ssh://other"\n[tui]\nhosts = local build\n')
    env = {"PATH": f"{near}:{os.environ['PATH']}", "GLASSBELL_CONFIG": str(conf)}
    with FakeServer(folder, sessions("alpha"), "a") as one:
        with Terminal(folder, BINARY, columns=140, env={**env, "GLASSBELL_SOCKET": str(one.path)}) as terminal:
            terminal.wait("alpha", "local ▲ tcg", "build ✕ lost", "no route to build", without=["other"])
            terminal.keys("q")
            assert terminal.status() == 0
        terminal.ended.unlink()
        with Terminal(folder, f"{BINARY} --socket {one.path}", columns=140, env=env) as terminal:
            terminal.wait("alpha", "tcg", without=["local", "build", "HOST"])


@pytest.mark.parametrize("words", [("--host", "local"), ()])
def test_local_is_this_machine_for_every_verb(folder, words):
    """`--host local` before $GLASSBELL_HOST, and $GLASSBELL_HOST=local."""
    with FakeServer(folder, sessions("alpha"), "a") as one:
        env = {**os.environ, "GLASSBELL_HOST": "ssh://elsewhere" if words else "local", "GLASSBELL_SOCKET": str(one.path)}
        done = subprocess.run([BINARY, "ls", "--no-autostart", *words], env=env, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert done.returncode == 0 and "alpha" in done.stdout, done.stderr
        with Terminal(folder, f"{BINARY} attach --no-autostart {' '.join(words)} alpha", columns=100,
                      env={name: env[name] for name in ("GLASSBELL_HOST", "GLASSBELL_SOCKET")}) as terminal:
            terminal.wait("› alpha")
            terminal.keys("q")
            assert terminal.status() == 0


def walk(terminal, one, other):
    terminal.wait("research-agent", "train-small", "gpu ▲ tcg", without=["connecting"])
    terminal.keys("j", "j")
    yield "list"
    terminal.command("tree host")
    yield "tree"
    terminal.command("tree table")
    terminal.command("filter host:gpu")
    terminal.wait("3 of 13")
    yield "filter"
    terminal.command("all")
    terminal.keys("n")
    terminal.wait("gpu:python")
    yield "new"
    terminal.keys("C-c")
    terminal.command("open gpu:index-build")
    terminal.wait("gpu › ")
    yield "session"
    terminal.command("back")
    terminal.wait("research-agent", without=["gpu › "])
    other.close()
    other.path.unlink()
    terminal.wait("✕ offline", "gpu ✕ lost, again at")
    terminal.command("first")
    terminal.wait("sessions (13)")
    yield "lost"


@pytest.mark.parametrize("columns,rows", [(80, 24), (120, 40)])
def test_golden_screens_of_two_hosts(columns, rows, folder):
    path = SCREENS / f"hosts-{columns}x{rows}.txt"
    golden = {} if WRITING else read(path)
    seen = {}
    now = int(time.time())
    gpu = sessions("index-build", "train-small", "notebook-2", owner="ada", created_at=now - 5.25 * HOUR, last_active_at=now - 3.5 * HOUR)
    gpu[1]["state"] = "running"
    with undo_for_long(folder), Scene(folder, (192, 96)) as scene, FakeServer(folder, gpu, "gpu") as other:
        scene.path = scene.path.rename(folder / "build")
        with hosts_front(folder, scene, other, words="--no-autostart", columns=columns, rows=rows, env={"TZ": scene.zone}) as terminal:
            for name in walk(terminal, scene, other):
                if WRITING:
                    seen[name] = at_rest(terminal)
                    continue
                wanted = golden.pop(name)
                wait_for(lambda wanted=wanted: steady(terminal.screen(colours=True)) == wanted, timeout=PATIENCE,
                         what=f"the golden screen {name}")
    if WRITING:
        write(path, seen)
    assert not golden


# ---- real servers ----

def test_two_servers_and_one_dies():
    """Cells on both; one server ends, and the other one runs the next cell."""
    with tempfile.TemporaryDirectory(prefix="gb-") as name, Server() as one, Server() as other:
        folder = pathlib.Path(name)
        with one.client() as here, other.client() as there:
            first = here.call("session.open", image="python", label="one")["session"]
            there.call("session.open", image="python", label="two")
            with Terminal(folder, f"{BINARY} --no-autostart --socket {one.socket} --socket {other.socket}", columns=140, rows=40) as terminal:
                terminal.wait("one", "two", "sessions (2)")
                terminal.command("open two")
                terminal.command("type")
                terminal.type("6 * 7")
                terminal.keys("Enter")
                terminal.wait("= 42")
                terminal.keys("C-]")
                terminal.command("back")
                other.process.kill()
                other.process.wait()
                terminal.wait("✕ offline", "✕ lost, again at", "two")
                terminal.command("open one")
                terminal.command("type")
                terminal.type("6 * 8")
                terminal.keys("Enter")
                terminal.wait("= 48")
                terminal.keys("C-]")
                terminal.command("back")
                terminal.wait("✕ offline", "one", "two")
                other.start()
                terminal.wait("is back", "one", without=["offline"])
                terminal.keys("q")
                assert terminal.status() == 0
            assert [cell["code"] for cell in here.call("session.history", session=first)["cells"]] == ["6 * 8"]


def test_this_machine_and_one_behind_ssh():
    """The link is cut while a cell runs there: said so, never sent again; back when the link is."""
    with tempfile.TemporaryDirectory(prefix="gb-") as name, Server() as one, Server() as other, Sshd(other.env) as far, \
            one.client() as here, other.client() as there:
        folder = pathlib.Path(name)
        here.call("session.open", image="python", label="near")
        distant = there.call("session.open", image="python", label="distant", idle_ms=0)["session"]
        conf = folder / "glassbell.conf"
        conf.write_text(f'[hosts]\nfar = "{far.url}"\n[tui]\nhosts = "far"\n')
        env = {"PATH": far.near_env()["PATH"], "GLASSBELL_CONFIG": str(conf), "GLASSBELL_SOCKET": str(one.socket)}
        with Terminal(folder, BINARY, columns=140, rows=40, env=env) as terminal:
            terminal.wait("near", "distant", "sessions (2)", "local ▲", "far ▲")
            terminal.command("open distant")
            terminal.wait("far › ")
            terminal.command("type")
            terminal.type("n = globals().get('n', 0) + 1; print('in', n); import time; time.sleep(600)")
            terminal.keys("Enter")
            terminal.wait("in 1")
            terminal.keys("C-]")
            program = far.far / "glassbell"
            target = program.resolve()
            program.unlink()
            assert far.cut()
            terminal.command("back")
            terminal.wait("✕ offline", "far ✕ lost")
            terminal.command("open near")
            terminal.command("type")
            terminal.type("6 * 7")
            terminal.keys("Enter")
            terminal.wait("= 42")
            terminal.keys("C-]")
            terminal.command("back")
            program.symlink_to(target)
            terminal.command("reconnect")
            terminal.wait("far is back", "distant", without=["offline"])
            there.call("session.interrupt", session=distant)
            assert there.call("session.exec", session=distant, code="print(n)")["stdout"] == "1\n"
            terminal.keys("q")
            assert terminal.status() == 0
