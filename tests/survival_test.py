# SPDX-License-Identifier: Apache-2.0
"""Sessions that are awake when their server ends: the next one has them, asleep, at their last checkpoint."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from support import BINARY, DEADLINE, RELEASE, Failure, Server, Session, alive, out, qemu_pid, wait_for, with_settings

KILLS = int(os.environ.get("GLASSBELL_SURVIVAL_KILLS", "4"))
ASKED = "[past]\ncheckpoints = asked\n"


def end(server, how):
    if how == "kill":
        server.process.kill()
        server.process.wait()
    else:
        assert server.stop() == 0


def state(session):
    return session.get()["state"]


def cells_of(session):
    return [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]]


def files(server):
    (folder,) = (server.folder / "state/glassbell").glob("past*")
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("s-"))


def history(session):
    return [(one["cell"], one.get("undone", False), (one.get("error") or {}).get("kind"))
            for one in session.call("session.history", limit=1000)["cells"]]


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_it_comes_back_at_its_last_checkpoint(tmp_path, how):
    server = with_settings(tmp_path, ASKED)
    with server.client() as client:
        session = Session(client, key="mine", label="a label", owner="ann", env={"WHO": "me"})
        session.exec("import os, random, subprocess; random.seed(42); x = [1]; n = random.random()")
        session.exec("child = subprocess.Popen(['sleep', '1000']); open('f', 'w').write('one')")
        session.call("session.checkpoint", name="named")
        kernel = out(session.exec("x.append(2); print(os.urandom(8).hex())")).strip()
        before = session.get()
        pid = qemu_pid(client, session.id)
        without = Session(client, image="shell")  # it has no checkpoint
        if how == "kill":
            running = session.send("import time; time.sleep(1000)")
            wait_for(lambda: state(session) == "running")
        end(server, how)
    wait_for(lambda: not alive(pid), what="the end of the VM")
    server.start()
    with server, server.client() as client:
        (shown,) = client.call("session.list")["sessions"]
        assert (shown["session"], shown["state"]) == (session.id, "asleep")
        for name in ("key", "label", "owner", "client", "image", "incarnation", "memory_mb"):
            assert shown[name] == before[name], name
        session.client = without.client = client
        with pytest.raises(Failure) as caught:
            without.get()
        assert caught.value.kind == "session_closed"
        again = client.call("session.open", key="mine")
        assert again["session"] == session.id and not again["created"]
        told = session.call("session.checkpoints")
        assert told["epoch"] == 2
        assert [(one["cell"], one["name"], one["here"]) for one in told["checkpoints"]] == [(2, "named", True)]
        last = 3
        undone = [(1, False, None), (2, False, None), (3, True, None)]
        if how == "kill":
            last = 4
            undone.append((4, True, "outcome_unknown"))
            with pytest.raises(ConnectionError):
                running.wait()
        assert history(session) == undone
        woken = session.exec("print(x, open('f').read(), child.poll(), random.random(), os.environ['WHO'], "
                             "os.urandom(8).hex())")
        assert woken["cell"] == last + 1  # no number is used twice
        words = out(woken).split()
        assert words[:5] == ["[1]", "one", "None", "0.025010755222666936", "me"]
        assert words[5] != kernel
        assert "as after cell 2 when this cell started" in woken["note"]
        assert history(session) == [*undone, (last + 1, False, None)]
        session.close()
        wait_for(lambda: files(server) == [], what="an empty folder")


def test_by_default_the_last_cell_is_there(tmp_path):
    server = with_settings(tmp_path, "")
    with server.client() as client:
        session = Session(client, image="shell")
        for i in range(1, 4):
            session.exec(f"x={i}; echo $x > f")
            wait_for(lambda i=i: cells_of(session)[-1:] == [i])
        assert session.call("session.checkpoints")["missing"] is None
        session.call("session.rewind", steps=1)
        for _ in range(3):  # killed again and again
            end(server, "kill")
            server.start()
            session.client = server.client()
            assert state(session) == "asleep"
            assert session.get()["expires_at"] is not None  # its idle time
            assert out(session.exec("echo $x $(cat f)")) == "2 2\n"
    with server, server.client() as client:
        session.client = client
        assert [undone for _, undone, _ in history(session)][:3] == [False, False, True]
        assert session.call("session.rewind", cell=3)["cell"] == 3
        assert out(session.exec("echo $x $(cat f)")) == "3 3\n"
        session.close()


def test_a_server_that_is_stopped_saves_what_is_idle(tmp_path):
    """However soon after their last cells; what runs goes back to what there is."""
    server = with_settings(tmp_path, "")
    with server.client() as client:
        client.send("image.warm", image="shell").wait(240)
        sessions = [Session(client, image="shell") for _ in range(4)]
        asked = Session(client, image="shell", checkpoints="asked")
        busy = Session(client, image="shell")
        busy.exec("x=1")
        wait_for(lambda: cells_of(busy)[-1:] == [1])
        busy.send("x=2; sleep 1000")
        wait_for(lambda: state(busy) == "running")
        for i, session in enumerate([*sessions, asked]):
            session.exec(f"x={i}; echo $x > f")
        server.process.send_signal(signal.SIGINT)  # it does not wait for the cell that runs
        assert server.process.wait(DEADLINE) == 0
    server.start()
    with server, server.client() as client:
        for i, session in enumerate(sessions):
            session.client = client
            assert state(session) == "asleep"
            assert [undone for _, undone, _ in history(session)] == [False]
            cell = session.exec("echo $x $(cat f)")
            assert out(cell) == f"{i} {i}\n" and "note" not in cell
        asked.client = busy.client = client
        with pytest.raises(Failure) as caught:
            asked.get()
        assert caught.value.kind == "session_closed"
        assert out(busy.exec("echo $x")) == "1\n"
        assert f"{busy.id}: it had changed since its last checkpoint, and will be as it was after cell 1" in \
            server.log.read_text()
        for session in (*sessions, busy):
            session.close()


def test_a_server_that_is_stopped_says_what_is_too_large_to_save(tmp_path):
    server = with_settings(tmp_path, "[past]\nlargest = 1M\n")
    with server.client() as client:
        session = Session(client)
        session.exec("x = 1")
        session.call("session.checkpoint")
        session.exec("import os; x = 2; y = os.urandom(30 << 20)")
        end(server, "stop")
    assert "will be as it was after cell 1: " in server.log.read_text()
    server.start()
    with server, server.client() as client:
        session.client = client
        assert out(session.exec("print(x)")) == "1\n"
        session.close()


def test_what_ends_with_its_client_does_not_come_back(tmp_path):
    server = with_settings(tmp_path, ASKED)
    with server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        (fork,) = client.call("session.fork", session=session.id, bound=True)["sessions"]
        client.call("session.checkpoint", session=fork["session"])
        closed = Session(client, image="shell")
        closed.call("session.checkpoint")
        closed.close()
        assert {name.split(".")[0] for name in files(server) if "." in name} == {session.id}
        end(server, "kill")
    server.start()
    with server, server.client() as client:
        assert [one["session"] for one in client.call("session.list")["sessions"]] == [session.id]
        assert {name.split(".")[0] for name in files(server)} == {session.id}
        client.call("session.close", session=session.id)


def test_a_mark_that_cannot_be_looked_at_is_not_none(tmp_path):
    """What may belong to a session is not removed for want of a mark."""
    server = with_settings(tmp_path, ASKED)
    name = "s-" + "x" * 250  # the name of its note would be longer than a file system allows
    with server.client() as client:
        session = Session(client, image="shell")
        session.call("session.checkpoint")
    assert server.stop() == 0
    (folder,) = (server.folder / "state/glassbell").glob("past*")
    (folder / name).write_text("a chain")
    (folder / "s-nobody").write_text("another chain, without a mark")
    server.start()
    with server, server.client() as client:
        (shown,) = client.call("session.list")["sessions"]
        assert shown["session"] == session.id
        assert (folder / name).read_text() == "a chain"
        assert not (folder / "s-nobody").exists()
        assert f"{name}: a session of an earlier server is not taken up: cannot look at " in server.log.read_text()
        client.call("session.close", session=session.id)


def test_one_that_was_awake_ends_when_its_idle_time_is_over(tmp_path):
    server = with_settings(tmp_path, ASKED)
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=2000)
        session.exec("x=1")
        session.call("session.checkpoint")
        end(server, "kill")
    server.start()
    with server, server.client() as client:
        wait_for(lambda: not client.call("session.list")["sessions"])
        wait_for(lambda: files(server) == [], what="an empty folder")


@pytest.mark.parametrize("taken_up", [True, False])
def test_one_that_was_awake_has_slept_for_no_time(tmp_path, taken_up):
    """Whenever its last checkpoint was. One that slept has slept since then."""
    server = with_settings(tmp_path, ASKED + "asleep = 1h\n")
    with server.client() as client:
        awake, asleep = (Session(client, image="shell", idle_ms=0) for _ in range(2))
        for session in (awake, asleep):
            session.exec("x=1")
            session.call("session.checkpoint")
        asleep.call("session.sleep")
        end(server, "kill")
    (folder,) = (server.folder / "state/glassbell").glob("past*")
    for session, ending in ((awake, "awake"), (asleep, "note")):
        path = folder / f"{session.id}.{ending}"
        note = json.loads(path.read_text())
        note["slept_at"] -= 7200
        if not taken_up:
            note["image"] = "none-of-this-name"
        path.write_text(json.dumps(note))
        os.utime(path, (time.time() - 7200,) * 2)
    server.start()
    with server, server.client() as client:
        wait_for(lambda: [name for name in files(server) if asleep.id in name] == [])
        expected = [(awake.id, "asleep")] if taken_up else []
        wait_for(lambda: [(one["session"], one["state"])
                          for one in client.call("session.list")["sessions"]] == expected)
        assert f"{awake.id}.awake" in files(server)
        awake.client = client
        if taken_up:
            assert awake.get()["expires_at"] > time.time() + 1800
            assert out(awake.exec("echo $x")) == "1\n"
        client.call("session.close", session=awake.id)
        wait_for(lambda: files(server) == [], what="an empty folder")


def test_what_is_in_the_way_is_said_and_fails_no_cell(tmp_path):
    with with_settings(tmp_path, "") as server, server.client() as client:
        missing = lambda session: session.call("session.checkpoints")["missing"]  # noqa: E731
        session = Session(client, image="shell")
        client.call("session.terminal", session=session.id, args=["cat"])
        for i in range(1, 4):
            assert out(session.exec(f"x={i}; echo $x")) == f"{i}\n"
        assert "terminal" in missing(session)
        client.call("terminal.close", session=session.id, terminal=1)
        wait_for(lambda: cells_of(session)[-1:] == [3])
        assert missing(session) is None
        # A process in the background is no obstacle, nor one that prints.
        session.exec("while true; do echo again; sleep 0.05; done &")
        wait_for(lambda: cells_of(session)[-1:] == [4])
        networked = Session(client, image="shell", network={"rules": ["allow example.com"]})
        assert networked.exec("x=1")["exit_code"] == 0
        wait_for(lambda: cells_of(networked)[-1:] == [1])  # nor is a network
        assert missing(networked) is None
        asked = Session(client, image="shell", checkpoints="asked")
        asked.exec("x=1")
        assert "asked" in missing(asked)
        off = Session(client, image="shell", checkpoints="off")
        assert "without checkpoints" in missing(off)
        for one in (session, networked, asked, off):
            one.close()


def test_one_that_the_guest_refuses_is_taken_later(tmp_path):
    """The interpreter is being started again: there is nothing to take until it is ready."""
    with with_settings(tmp_path, "") as server, server.client() as client:
        session = Session(client)
        lost = session.exec("import os; os._exit(3)")
        assert lost["state_lost"]
        wait_for(lambda: cells_of(session)[-1:] == [lost["cell"]])
        assert session.call("session.rewind", cell=lost["cell"])["cell"] == lost["cell"]
        assert out(session.exec("print(6 * 7)")) == "42\n"
        session.close()


# ---- signals to all processes ----


@pytest.mark.parametrize("first", ["the server", "the VMs"])
def test_a_signal_to_all_processes_destroys_no_session(tmp_path, first):
    """As at the end of a login or of the host: VMs die before, or while, the server waits for a cell. What was
    closed by its client is gone all the same."""
    server = with_settings(tmp_path, ASKED)
    with server.client() as client:
        idle, busy, without = (Session(client, image="shell") for _ in range(3))
        for session in (idle, busy):
            session.exec("x=1")
            session.call("session.checkpoint")
        without.exec("x=1")
        closed = Session(client, image="shell")
        closed.call("session.checkpoint")
        closed.close()
        running = busy.send("x=2; sleep 1000")
        wait_for(lambda: state(busy) == "running")
        pids = descendants(server.process.pid)
        vms = [qemu_pid(client, session.id) for session in (idle, busy, without)]
        if first == "the server":
            server.process.send_signal(signal.SIGTERM)
        else:
            server.process.send_signal(signal.SIGSTOP)  # it hears of all at once
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(alive(pid) for pid in vms), what="the end of the VMs")
        if first != "the server":
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGCONT)
        assert server.process.wait(DEADLINE) == 0
        with pytest.raises((Failure, ConnectionError)):
            running.wait()
    server.start()
    with server, server.client() as client:
        assert {(one["session"], one["state"]) for one in client.call("session.list")["sessions"]} == \
            {(idle.id, "asleep"), (busy.id, "asleep")}
        for session in (idle, busy):
            session.client = client
            assert out(session.exec("echo $x")) == "1\n"
            session.close()
        wait_for(lambda: files(server) == [], what="an empty folder")


def test_one_whose_vm_dies_does_not_come_back(tmp_path):
    """Alone: clients were told that it has ended."""
    server = with_settings(tmp_path, ASKED)
    with server, server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        session.call("session.checkpoint")
        os.kill(qemu_pid(client, session.id), signal.SIGKILL)
        wait_for(lambda: not client.call("session.list")["sessions"])
        wait_for(lambda: files(server) == [], what="an empty folder")


# ---- a session that is closed while its checkpoint is written ----

GATES = r"""
/* A disk that stands still: what is synced below a folder `past` or `journal` waits while there is a FIFO of that
 * name in $GATES, until that is opened for writing, and says so in NAME.held. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void pass(int fd)
{
    char link[40], path[4096], gate[4200], held[4200];
    const char *gates = getenv("GATES"), *name;
    ssize_t size;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0 || gates == NULL)
        return;
    path[size] = '\0';
    name = strstr(path, "/glassbell/journal") ? "journal" : strstr(path, "/glassbell/past") ? "past" : NULL;
    if (name == NULL)
        return;
    (void)snprintf(gate, sizeof(gate), "%s/%s", gates, name);
    (void)snprintf(held, sizeof(held), "%s/%s.held", gates, name);
    if (access(gate, F_OK) == 0) {
        (void)close(open(held, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        (void)close(open(gate, O_RDONLY | O_CLOEXEC));
    }
}

int fsync(int fd)
{
    pass(fd);
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    pass(fd);
    return (int)syscall(SYS_fdatasync, fd);
}
"""


def open_gate(gate):
    """Lets those pass that wait there, and those that come later."""
    fd = os.open(gate, os.O_WRONLY)
    gate.unlink()
    os.close(fd)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a compiler")
def test_one_that_is_closed_gets_no_mark(tmp_path):
    """Its first checkpoint is being written, and its end waits for the record of a cell."""
    gates = tmp_path / "gates"
    gates.mkdir()
    (tmp_path / "gates.c").write_text(GATES)
    library = tmp_path / "gates.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "gates.c"], check=True)
    (tmp_path / "a.conf").write_text(ASKED + "[journal]\nsync = cell\n")
    with Server("--config", str(tmp_path / "a.conf"), folder=str(tmp_path), binary=RELEASE,
                env={"LD_PRELOAD": str(library), "GATES": str(gates)}) as server, server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        os.mkfifo(gates / "past")
        kept = client.send("session.checkpoint", session=session.id)
        wait_for((gates / "past.held").exists, what="a checkpoint that is being written")
        running = session.send("sleep 1000")
        wait_for(lambda: state(session) == "running")
        os.mkfifo(gates / "journal")
        closing = client.send("session.close", session=session.id)
        wait_for((gates / "journal.held").exists, what="a record that is being written")
        open_gate(gates / "past")
        wait_for(lambda: files(server) == [], what="an empty folder")
        assert not closing.done()
        open_gate(gates / "journal")
        closing.wait()
        assert files(server) == []
        for pending in (kept, running):
            with pytest.raises(Failure):
                pending.wait()


# ---- two servers ----


class Usual(Server):
    """At the usual socket, which depends on the runtime folder, as the folders of state do not."""

    def __init__(self, folder, text, runtime):
        self.runtime = folder / runtime
        self.runtime.mkdir(mode=0o700)
        (folder / "a.conf").write_text(text)
        super().__init__("--config", str(folder / "a.conf"), folder=str(folder),
                         env={"GLASSBELL_SOCKET": "", "XDG_RUNTIME_DIR": str(self.runtime)})

    def start(self):
        at = self.arguments.index("--socket") if "--socket" in self.arguments else len(self.arguments)
        del self.arguments[at:at + 2]
        self.socket = self.runtime / "glassbell/server.sock"
        super().start()


@pytest.mark.parametrize("journal", ["yes", "no"])
def test_two_servers_do_not_share_a_folder(tmp_path, journal):
    """The second one neither removes what the first one has on disk, nor takes up its sessions."""
    text = ASKED + f"[journal]\nenabled = {journal}\n"
    with Usual(tmp_path, text, "one") as server, server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        session.call("session.checkpoint")
        (fork,) = client.call("session.fork", session=session.id, bound=True)["sessions"]  # has no mark
        client.call("session.exec", session=fork["session"], code="x=2")
        kept = client.call("session.checkpoint", session=fork["session"])
        before = files(server)
        assert any(name.startswith(fork["session"]) for name in before)
        with pytest.raises(RuntimeError, match="another server, at another socket, keeps its checkpoints in"):
            Usual(tmp_path, text, "two")
        assert files(server) == before
        client.call("session.exec", session=fork["session"], code="x=3")
        client.call("session.rewind", session=fork["session"], seq=kept["seq"])
        assert out(client.call("session.exec", session=fork["session"], code="echo $x")) == "2\n"
        client.call("session.close", session=fork["session"])
        end(server, "kill")
        server.start()  # nobody holds it any more
        with server.client() as again:
            session.client = again
            assert out(session.exec("echo $x")) == "1\n"
            session.close()


def test_a_relative_socket_is_another_one_in_each_folder(tmp_path):
    """And so are the checkpoints of its server."""
    folders = [tmp_path / name for name in ("one", "two")]
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path), XDG_STATE_HOME=str(tmp_path / "state"))
    servers = []
    for folder in folders:
        folder.mkdir(mode=0o700)
        ready, write_end = os.pipe()
        with open(tmp_path / "log", "ab") as log:
            servers.append(subprocess.Popen(
                [BINARY, "serve", "--foreground", "--socket", "s", "--ready-fd", str(write_end)], cwd=folder,
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end]))
        os.close(write_end)
        with os.fdopen(ready, "rb") as pipe:
            assert pipe.read(1) != b"", (tmp_path / "log").read_text()
    assert len(list((tmp_path / "state/glassbell").glob("past-*"))) == 2
    for folder, server in zip(folders, servers):
        assert (folder / "s").exists()
        server.terminate()
        assert server.wait(DEADLINE) == 0


# ---- at random moments ----


class Life:
    """A session whose cells set a variable and a file to a number that no other one has, and what it may come
    back with if its server dies now."""

    def __init__(self, number):
        self.number = number  # of the first value, less one
        self.key = f"life-{number}"
        self.epoch = 1
        self.value = self.marked = 0
        self.may_be = {0}
        self.moments = {}  # values by checkpoint
        self.done = 0

    def open(self, client):
        self.session = Session(client, image="shell", key=self.key, idle_ms=0)
        self.session.exec("x=0; echo 0 > f")
        self.keep()

    def exec(self):
        self.number += 1
        self.may_be = {self.marked}
        assert out(self.session.exec(f"x={self.number}; echo $x > f; echo $x")) == f"{self.number}\n"
        self.value = self.number

    def settle(self, told):
        """It is marked, at this checkpoint."""
        self.moments[told["seq"]] = self.marked = self.value
        self.may_be = {self.marked}

    def keep(self):
        self.may_be = {self.marked, self.value}
        self.settle(self.session.call("session.checkpoint"))

    def sleep(self):
        self.may_be = {self.marked, self.value}
        self.settle(self.session.call("session.sleep"))

    def rewind(self, rng):
        seq = rng.choice(sorted(self.moments))
        self.may_be = {self.marked, self.moments[seq]}
        told = self.session.call("session.rewind", seq=seq)
        self.moments[told["from_seq"]] = self.value
        self.value = self.moments[seq]
        self.settle(told)

    def fork(self):
        self.may_be = {self.marked, self.value}
        told = self.session.call("session.fork", bound=True)
        self.settle(told)
        (child,) = told["sessions"]
        assert self.value == int(out(self.session.client.call("session.exec", session=child["session"],
                                                              code="cat f")))
        self.session.client.call("session.close", session=child["session"])

    def go_on(self, rng):
        """Until the server dies."""
        ways = [self.exec] * 4 + [self.keep] * 3 + [self.sleep, self.fork] + [lambda: self.rewind(rng)] * 2
        try:
            while True:
                rng.choice(ways)()
                self.done += 1
        except (ConnectionError, BrokenPipeError):
            return

    def verify(self, client):
        """After it."""
        self.session.client = client
        assert state(self.session) == "asleep"
        epoch = self.session.call("session.checkpoints")["epoch"]
        assert epoch >= self.epoch
        self.epoch = epoch
        shown = out(self.session.exec("echo $x $(cat f)")).split()
        assert shown[0] == shown[1] and int(shown[0]) in self.may_be, (self.key, shown, self.may_be)
        self.value = self.marked = int(shown[0])
        self.keep()

    def verify_history(self):
        """The cells that are not undone lead to the value."""
        codes, after = [], 0
        while True:
            page = self.session.call("session.history", after=after, limit=1000)
            codes += [one["code"] for one in page["cells"] if not one.get("undone")]
            after = page.get("next")
            if not page.get("more"):
                break
        assert [code for code in codes if code.startswith("x=")][-1].startswith(f"x={self.value};")


def descendants(pid):
    found, left = set(), [pid]
    while left:
        try:
            with open(f"/proc/{left[-1]}/task/{left.pop()}/children") as children:
                new = [int(child) for child in children.read().split()]
        except OSError:
            continue
        found.update(new)
        left += new
    return found


def test_killed_at_random_moments(tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    lives = [Life(1000000 * i) for i in range(1, 3)]
    server = with_settings(tmp_path, ASKED)
    client = server.client()
    client.send("image.warm", image="shell").wait(240)
    for life in lives:
        life.open(client)
    for _ in range(KILLS):
        threads = [threading.Thread(target=life.go_on, args=(random.Random(rng.random()),)) for life in lives]
        for thread in threads:
            thread.start()
        time.sleep(rng.random() * 1.5)  # not to wait for anything: at any moment
        pids = descendants(server.process.pid)
        end(server, "kill")
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        client.close()
        wait_for(lambda pids=pids: not any(alive(pid) for pid in pids), what="the end of all VMs")
        server.start()
        client = server.client()
        assert {one["session"] for one in client.call("session.list")["sessions"]} == \
            {life.session.id for life in lives}
        for life in lives:
            life.verify(client)
            life.verify_history()
    print(f"{KILLS} kills, {sum(life.done for life in lives)} steps")
    with server, client:
        for life in lives:
            life.session.close()
        wait_for(lambda: files(server) == [], what="an empty folder")
