# SPDX-License-Identifier: Apache-2.0
"""A terminal for tests: the real program in tmux, and a server that only speaks the protocol.

Keys go in, the screen comes out; nothing waits for time, only for what is to be seen.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

from support import BINARY, ROOT, end_tmux, wait_for

PATIENCE = int(os.environ.get("GLASSBELL_PATIENCE", "60"))  # seconds; less while one works on a test
LEAK_CHECK = os.environ.get("ASAN_OPTIONS", "")


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, folder, command, columns=100, rows=30, env=None, shell=False):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "tmux"
        self.error = self.folder / "stderr"
        settings = {"PS1": "shell> ", "TERM": "tmux-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "PATH": os.environ["PATH"], "HOME": str(self.folder),
                    "XDG_RUNTIME_DIR": str(self.folder), "ASAN_OPTIONS": LEAK_CHECK}
        settings.update(env or {})
        words = " ".join(f"{name}='{value}'" for name, value in settings.items() if value is not None)
        self.ended = self.folder / "status"  # tmux itself sometimes does not notice
        errors = "" if shell else f" 2>{self.error}"  # a shell prompts there
        # Before the program begins: one that ends at once would take the whole server along.
        options = self.folder / "tmux.conf"
        options.write_text("set -g remain-on-exit on\nset -g escape-time 0\nset -g focus-events on\n")
        self.tmux("-u", "-f", options, "new-session", "-d", "-x", columns, "-y", rows,
                  f"env -i {words} {command}{errors}; echo $? >{self.ended}")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", str(self.socket), *map(str, arguments)],
                              capture_output=True, text=True, check=True).stdout

    def screen(self, colours=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, *texts, without=()):
        """Waits until all of the texts are on the screen; returns it."""
        def there():
            screen = self.screen()
            if self.dead():
                raise AssertionError("the program has ended")
            good = all(text in screen for text in texts) and not any(text in screen for text in without)
            return screen if good else None
        try:
            return wait_for(there, timeout=PATIENCE, what=f"{texts} on the screen")
        except AssertionError:
            raise AssertionError(f"{texts} did not come (without {without}):\n{self.screen()}\n"
                                 f"{self.error.read_text() if self.error.exists() else ''}") from None

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def command(self, line):
        self.keys(":")
        self.type(line)
        self.keys("Enter")

    def paste(self, text):
        source = self.folder / "paste"
        source.write_text(text)
        self.tmux("load-buffer", source)
        self.tmux("paste-buffer", "-p")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def dead(self):
        return self.ended.exists()

    def status(self):
        return int(wait_for(lambda: self.dead() and self.ended.read_text().strip(), timeout=PATIENCE,
                            what="the end of the program"))

    def close(self):
        end_tmux(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        text = self.error.read_text(errors="replace") if self.error.exists() else ""
        assert "Sanitizer" not in text and "runtime error:" not in text, text[-6000:]


def front_end(folder, server_socket, *arguments, verb="tui", **options):
    return Terminal(folder, " ".join([BINARY, verb, "--socket", str(server_socket), *arguments]), **options)


def languages():
    """The records of the workers, as a server tells them."""
    told = []
    for path in sorted((ROOT / "agent/workers").glob("*/language.json")):
        record = json.loads(path.read_text())
        told.append({key: value for key, value in record.items() if key not in ("warm", "environment")})
    return told


class FakeServer:
    """Speaks just enough of the protocol to show a given number of sessions: for screens whose content
    has to be the same each time, and for more sessions than there is room for VMs."""

    def __init__(self, folder, sessions, name="fake.sock"):
        self.path = pathlib.Path(folder) / name
        self.sessions = sessions
        self.ended = []  # those of its journal
        self.calls, self.running = [], []
        self.held = None  # a list: calls of views for events, to be answered by a test
        self.connections = []
        self.sending = {}  # a lock for each connection, so that lines stay whole and in their order
        self.subscriptions = {}  # of each connection: its parameters by its number
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        os.chmod(self.path, 0o600)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.sending[connection], self.subscriptions[connection] = threading.RLock(), {}
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection.makefile("rb") as lines:
                for line in lines:
                    call = json.loads(line)
                    self.calls.append(call)
                    self._answer(connection, call)
        except (OSError, ValueError):
            pass

    def _answer(self, connection, call):
        if self.held is not None and call["method"] == "events.subscribe" and "sessions" in call["params"]:
            self.held.append((connection, call))
            return
        results = {
            "hello": {"server": "0.1.0", "protocol": 1, "client": 1, "pid": 1, "accel": "tcg",
                      "isolation": "emulation", "accel_reason": "", "guard": {"applied": [], "missing": []},
                      "images": [{"name": name, "language": name} for name in ("javascript", "python", "shell")],
                      "languages": languages()},
            "stats": {"host": {"cpus": 4, "memory_total": 16 << 30, "memory_available": 9 << 30},
                      "latency": {"open": {"p50_ms": 96.1}, "overhead": {"p50_ms": 1.15, "p99_ms": 2.7}},
                      "vms": []},
            "pool.status": self.pool(),
            "session.list": {"sessions": self.sessions if "state" not in call.get("params", {}) else
                             [each for each in self.ended if each["state"] == call["params"]["state"]]},
            "session.history": {"cells": []},
        }
        subscriptions, params = self.subscriptions[connection], call.get("params", {})
        with self.sending[connection]:
            if call["method"] == "events.subscribe":
                number = len(subscriptions) + 1
                subscriptions[number] = params
                results["events.subscribe"] = {"subscription": number}
            elif call["method"] == "events.unsubscribe":
                subscriptions[params["subscription"]] = None
            self.reply(connection, call, results.get(call["method"], {}))
            if call["method"] == "events.subscribe":
                self._event(connection, number, "snapshot", sessions=self.sessions, cells=self.running,
                            pool=self.pool(), host=results["stats"]["host"])

    @staticmethod
    def pool():
        return {"pools": [{"image": "python", "ready": 2, "target": 2}, {"image": "javascript", "ready": 0, "target": 1}],
                "admission": {"memory_budget": 8 << 30}}

    def _send(self, connection, message):
        line = json.dumps(message).encode() + b"\n"
        with self.sending[connection]:
            connection.sendall(line)

    def reply(self, connection, call, result):
        self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "result": result})

    def _event(self, connection, subscription, kind, **fields):
        self._send(connection, {"jsonrpc": "2.0", "method": "event", "params": {
            "subscription": subscription, "seq": 1, "at": time.time(), "kind": kind, **fields}})

    def tell(self, kind, **fields):
        for connection in list(self.connections):
            with contextlib.suppress(OSError), self.sending[connection]:
                for number, params in self.subscriptions[connection].items():
                    if params is None or kind not in params.get("kinds", [kind]) or \
                            (kind == "cell.output" and not params.get("output")) or \
                            fields.get("session") not in [None, *params.get("sessions", [fields.get("session")])]:
                        continue
                    self._event(connection, number, kind, **fields)

    def close(self):
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


NOW = time.time()  # one for all: what was active last comes first


def made_up(number, **changes):
    """A session as the server tells it. Times lie hours back, so that what is shown of them stands."""
    now = NOW
    image = ("python", "javascript", "shell")[number % 3]
    session = {"session": f"s-{number:020x}", "label": f"agent-{number}", "key": None,
               "owner": ("claude", "adk", None)[number % 3], "client": f"client-{number % 2}", "image": image, "language": image,
               "state": "idle", "run": False, "incarnation": 1, "cells": number % 17, "queued": 0,
               "created_at": now - 5.5 * 3600, "last_active_at": now - 3.5 * 3600, "expires_at": None,
               "memory_mb": 512, "memory_bytes": (60 + number * 7 % 90) << 20, "cpu_ms": 1000.0,
               "guest_memory": None, "lease": None, "source": "pool", "network": "none"}
    session.update(changes)
    return session


def made_up_end(number, label, state, message, hours, **changes):
    """The same of one that has ended, so many hours ago."""
    return made_up(number, label=label, state=state, reason="closed" if state == "closed" else "lost", message=message,
                   created_at=NOW - (hours + 2) * 3600, ended_at=NOW - hours * 3600, last_active_at=None,
                   memory_bytes=None, **changes)


def steady(screen):
    """What differs from run to run, taken out."""
    screen = re.sub(r"[A-Z][a-z][a-z] \d\d \d\d:\d\d", "Mmm DD HH:MM", screen)
    screen = re.sub(r"\d\d:\d\d:\d\d", "HH:MM:SS", screen)
    screen = re.sub(r"\d:\d\d h", "H:MM h", screen)
    screen = re.sub(r"idle for \d\d min", "idle for MM min", screen)
    return "\n".join(line.rstrip() for line in screen.rstrip().split("\n")) + "\n"
