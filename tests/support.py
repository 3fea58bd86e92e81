# SPDX-License-Identifier: Apache-2.0
"""What the tests share: a client of the socket that hides nothing, and a server of their own.

The client speaks the protocol by hand, so that the tests see what any client would see.
"""

import atexit
import base64
import contextlib
import itertools
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("GLASSBELL_BIN", str(ROOT / "build/release/cli/glassbell"))
RELEASE = str(ROOT / "build/release/cli/glassbell")
os.environ.setdefault("GLASSBELL_IMAGES", str(ROOT / "build/images"))
os.environ["GLASSBELL_CONFIG"] = "/dev/null"  # nobody's own settings
os.environ.pop("GLASSBELL_HOST", None)  # nor a server of theirs
# Templates are made once for all runs of the tests, and apart from the user's own.
os.environ["XDG_CACHE_HOME"] = str(ROOT / "build/test-cache")
# Seconds; a hang is a failure, not a wait. Guests of another architecture are given more.
DEADLINE = int(os.environ.get("GLASSBELL_DEADLINE", "60"))


class Failure(Exception):
    """A JSON-RPC error."""

    def __init__(self, error):
        super().__init__(error.get("message"))
        self.error = error
        self.code = error["code"]
        data = error.get("data") or {}
        self.kind = data.get("kind")
        self.dispatched = data.get("dispatched")
        self.retryable = data.get("retryable")


class Pending:
    """A request on its way."""

    def __init__(self):
        self.box = queue.Queue()

    def wait(self, timeout=DEADLINE):
        reply = self.box.get(timeout=timeout)
        if isinstance(reply, Exception):
            raise reply
        if "error" in reply:
            raise Failure(reply["error"])
        return reply["result"]

    def done(self):
        return not self.box.empty()


class Client:
    """One connection. Replies are matched by id; notifications go to `notes`."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Sending has a deadline; reading has none: a client may hear nothing for long.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", DEADLINE, 0))
        self.sock.connect(str(path))
        self.ids = itertools.count(1)
        self.pending = {}
        self.ended = None  # why nothing can be read any more
        self.lock = threading.Lock()
        self.notes = queue.Queue()
        self.on_note = None
        self.strays = queue.Queue()  # replies without an id that we know
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        end = ConnectionError("the server closed the connection")
        try:
            with self.sock.makefile("rb") as lines:
                for line in lines:
                    message = json.loads(line)
                    if "method" in message:
                        if self.on_note:
                            self.on_note(message)
                        self.notes.put(message)
                        continue
                    with self.lock:
                        pending = self.pending.pop(message.get("id"), None)
                    (pending.box if pending else self.strays).put(message)
        except (OSError, ValueError):
            pass
        except Exception as problem:  # of a test's own on_note: who waits must hear of it
            end = RuntimeError(f"a test's on_note failed: {problem!r}")
        with self.lock:
            left, self.pending, self.ended = self.pending, {}, end
        for pending in left.values():
            pending.box.put(end)
        self.strays.put(end)

    def send(self, method, **params):
        pending = Pending()
        with self.lock:
            if self.ended:
                raise self.ended
            number = next(self.ids)
            self.pending[number] = pending
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        self.sock.sendall(line.encode() + b"\n")
        return pending

    def call(self, method, **params):
        return self.send(method, **params).wait()

    def raw(self, data):
        self.sock.sendall(data)

    def stray(self, timeout=DEADLINE):
        """The next reply that carries no id of ours, as JSON-RPC errors of unreadable lines do."""
        reply = self.strays.get(timeout=timeout)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.reader.join(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    """A session and the calls on it."""

    made = []  # by the test that runs

    def __init__(self, client, image="python", **options):
        self.client = client
        # Whoever is the first to want an image waits for its template.
        self.opened = client.send("session.open", image=image, **options).wait(4 * DEADLINE)
        self.id = self.opened["session"]
        self.made.append(self)

    def exec(self, code, **options):
        return self.client.call("session.exec", session=self.id, code=code, **options)

    def send(self, code, **options):
        return self.client.send("session.exec", session=self.id, code=code, **options)

    def call(self, method, **params):
        return self.client.call(method, session=self.id, **params)

    def write(self, path, data, **options):
        return self.call("file.write", path=path, base64=base64.b64encode(data).decode(), **options)

    def read(self, path, **options):
        content, offset = b"", 0
        while True:
            piece = self.call("file.read", path=path, offset=offset, **options)
            content += data_of(piece)
            offset = len(content)
            if piece["eof"]:
                return content

    def note(self, timeout=DEADLINE):
        """The next notification about this session; those of others are passed over."""
        while True:
            note = self.client.notes.get(timeout=timeout)
            params = note["params"]
            if note["method"] == "cell.started":
                continue
            if params.get("session") == self.id:
                return params

    def get(self):
        return self.call("session.get")

    def close(self):
        self.call("session.close")

    def abandon(self):
        """Closes it if it is still there, and so is its server."""
        with contextlib.suppress(OSError, Failure, RuntimeError, queue.Empty), Client(self.client.path) as client:
            client.call("session.close", session=self.id)


def data_of(thing, name="text"):
    """The bytes of a text/base64 pair, or of a stream of a cell (name "stdout")."""
    if name in thing:
        return thing[name].encode()
    return base64.b64decode(thing["base64" if name == "text" else name + "_base64"])


def out(cell):
    return data_of(cell, "stdout").decode()


def err(cell):
    return data_of(cell, "stderr").decode()


class Server:
    """A server of the test's own, with its own folders, in the foreground."""

    def __init__(self, *arguments, binary=BINARY, env=None, folder=None):
        if folder is None:
            folder = tempfile.mkdtemp(prefix="glassbell-test-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)  # a test may start another in it
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "server.sock"
        self.log = self.folder / "server.log"
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder), GLASSBELL_SOCKET=str(self.socket),
                        XDG_STATE_HOME=str(self.folder / "state"))
        if env:
            self.env.update(env)
        self.arguments = [binary, "serve", "--foreground", "--socket", str(self.socket), *arguments]
        self.process = None
        self.start()

    def start(self):
        ready, write_end = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.arguments, "--ready-fd", str(write_end)],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(ready, "rb") as pipe:
            if pipe.read(1) == b"":
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def client(self):
        return Client(self.socket)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        text = self.log.read_text(errors="replace")
        assert "AddressSanitizer" not in text and "runtime error:" not in text, text[-8000:]
        assert "LeakSanitizer" not in text, text[-8000:]
        assert "which its row does not name" not in text, text[-8000:]
        assert status == 0, f"the server ended with {status}:\n{text[-4000:]}"


def with_settings(folder, text, env=None):
    """A server with this settings file, everything of which is in the folder."""
    path = folder / "a.conf"
    path.write_text(text)
    return Server("--config", str(path), folder=str(folder), env=env)


def forgetful():
    """A server whose sessions have no checkpoint unless they are asked for one, so that they end with it."""
    folder = tempfile.mkdtemp(prefix="glassbell-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return with_settings(pathlib.Path(folder), "[past]\ncheckpoints = asked\n")


def wait_for(condition, timeout=DEADLINE, what="a condition"):
    """Waits on a condition that gives no event (another process's /proc entry), without a busy loop."""
    import select
    import time

    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        select.select([], [], [], 0.01)


def comes_to_rest(client):
    """Waits until the server does nothing of itself: it wakes up once for each of our calls. Where there are VMs
    the figures that our own asking has read may wake it now and then; one that spins does so all the time."""
    def rests():
        before = client.call("stats")
        for _ in range(50):
            after = client.call("stats")
        woken = after["wakeups"] - before["wakeups"]
        return woken == 50 if not after["vms"] else 50 <= woken <= 75
    wait_for(rests, what="a server at rest")


def qemu_pid(client, session_id):
    for vm in client.call("stats")["vms"]:
        if vm["session"] == session_id:
            return vm["pid"]
    raise AssertionError(f"stats knows no VM of {session_id}")


def process_state(pid):
    """As in proc(5): R, S, T…; X if there is none."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def freeze(*pids):
    """Stops processes, and waits until they stand: the signal takes its time."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(process_state(pid) == "T" for pid in pids), what="the stop of what was told to")


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    return process_state(pid) not in "ZX"


def in_session(leader):
    """The processes that run in the session of a terminal."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            found.append(int(entry))
    return found


def end_tmux(socket):
    """Ends a server of tmux, and waits for what ran in it: that may still write a history, or its status."""
    def tmux(*arguments):
        return subprocess.run(["tmux", "-S", str(socket), *arguments], capture_output=True, text=True,
                              check=False).stdout
    leaders = [int(pid) for pid in tmux("list-panes", "-a", "-F", "#{pane_pid}").split()]
    tmux("kill-server")
    wait_for(lambda: not any(in_session(leader) for leader in leaders), what="the end of what ran in tmux")


class Watcher:
    """A connection that only watches: the events of one subscription, in order."""

    def __init__(self, server, **params):
        self.client = server.client()
        self.number = self.client.call("events.subscribe", **params)["subscription"]
        self.seen = []

    def next(self, timeout=DEADLINE):
        """The next event, its numbers checked."""
        event = self.client.notes.get(timeout=timeout)["params"]
        assert event["subscription"] == self.number
        before = self.seen[-1]["seq"] if self.seen else 0
        dropped = event["dropped"] if event["kind"] == "gap" else 0
        assert event["seq"] == before + dropped + 1, (before, event)
        self.seen.append(event)
        return event

    def until(self, kind, **fields):
        """All events up to the first of a kind that has these fields."""
        events = []
        while not events or events[-1]["kind"] != kind or \
                any(events[-1].get(name) != value for name, value in fields.items()):
            events.append(self.next())
        return events

    def close(self):
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Cli:
    """Runs the program against one server."""

    def __init__(self, socket, **env):
        self.env = dict(os.environ, GLASSBELL_SOCKET=str(socket), NO_COLOR="1", **env)

    def start(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([BINARY, *map(str, arguments)], env=self.env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def __call__(self, *arguments, input=b"", status=0, **options):
        done = subprocess.run([BINARY, *map(str, arguments)], env=self.env, input=input,
                              capture_output=True, timeout=DEADLINE, **options)
        assert b"AddressSanitizer" not in done.stderr and b"runtime error" not in done.stderr
        if status is not None:
            assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr)
        return done

    def out(self, *arguments, **options):
        return self(*arguments, **options).stdout.decode()
