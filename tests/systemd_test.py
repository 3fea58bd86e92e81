# SPDX-License-Identifier: Apache-2.0
"""The units under a real systemd: a user's manager in namespaces of its own."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support import BINARY, DEADLINE, ROOT, Client, Session, out, wait_for

SYSTEMD = "/lib/systemd/systemd"
CGROUPS = [pathlib.Path(path) for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
           if os.path.exists(f"{path}/cgroup.procs")]
# The manager wants a system that was booted with systemd, and a tree of control groups of its own.
INSIDE = """
echo $$ >"$1/cgroup.procs" && exec unshare --pid --mount --cgroup --fork --kill-child --mount-proc bash -c '
    mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system &&
    mount -t tmpfs tmpfs /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 9
    "$0" --user --unit=basic.target; exit # not in the place of the shell: process 1 is no user manager
' "$2"
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists(SYSTEMD) or not CGROUPS,
                                reason="needs root, systemd and control groups of version 2")


class Manager:
    def __init__(self, folder):
        self.folder = folder
        self.cgroup = CGROUPS[0] / f"glassbell-{folder.name}"
        self.runtime = folder / "run"
        self.socket = self.runtime / "glassbell/server.sock"
        self.log = folder / "manager.log"
        self.env = {name: value for name, value in os.environ.items() if name != "GLASSBELL_SOCKET"}
        self.env.update(HOME=str(folder), XDG_RUNTIME_DIR=str(self.runtime), SYSTEMD_LOG_TARGET="console",
                        XDG_STATE_HOME=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"))
        self.runtime.mkdir(0o700)
        units = folder / "config/systemd/user"
        units.mkdir(parents=True)
        text = (ROOT / "packaging/systemd/glassbell.service.in").read_text()
        (units / "glassbell.service").write_text(text.replace("@CMAKE_INSTALL_FULL_BINDIR@/glassbell", BINARY))
        shutil.copy(ROOT / "packaging/systemd/glassbell.socket", units)
        try:
            self.cgroup.mkdir()
        except OSError as problem:
            pytest.skip(f"no control group can be made here: {problem}")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["bash", "-c", INSIDE, "bash", self.cgroup, SYSTEMD],
                                            env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, *arguments):
        """systemctl where the manager is."""
        pid = self.process.pid
        shell = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        return ["nsenter", f"--target={shell}", "--mount", "--pid", "--cgroup", "systemctl", "--user",
                "--no-pager", *arguments]

    def ctl(self, *arguments, check=True):
        done = subprocess.run(self.command(*arguments), env=self.env, check=False,
                              capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()

    def show(self, name, unit="glassbell.service"):
        return self.ctl("show", "--value", "-p", name, unit)

    def runs(self):
        return (self.runtime / "systemd/private").exists() and self.ctl("is-active", "basic.target",
                                                                        check=False) == "active"

    def commands(self):
        """What runs in the service's control group."""
        found = []
        for procs in self.cgroup.rglob("glassbell.service/cgroup.procs"):
            for pid in procs.read_text().split():
                try:
                    found.append(pathlib.Path(f"/proc/{pid}/comm").read_text().strip())
                except (FileNotFoundError, ProcessLookupError):
                    pass
        return found

    def close(self):
        self.process.kill()  # and with it all that is in its namespace
        self.process.wait()
        # Not cgroup.procs: a process that is ending is not in it any more, and still in the way.
        wait_for(lambda: "populated 0" in (self.cgroup / "cgroup.events").read_text(),
                 what="the end of all processes")
        for path, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(path)


@pytest.fixture
def manager():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-systemd-"))
    manager = Manager(folder)
    try:
        wait_for(lambda: manager.runs() or manager.process.poll() is not None, what="the manager")
        if manager.process.poll() is not None:
            pytest.skip(f"systemd does not run here: {manager.log.read_text()[-500:]}")
        yield manager
    finally:
        manager.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_units(manager):
    """Started by its first client, read again, restarted when it was killed, ended in order."""
    manager.ctl("enable", "--no-reload", "glassbell.socket")  # a reload wants a message bus
    manager.ctl("start", "glassbell.socket")
    assert manager.ctl("is-active", "glassbell.socket") == "active"
    assert manager.show("ActiveState") == "inactive" and manager.socket.stat().st_mode & 0o777 == 0o600
    with Client(manager.socket) as client:
        session = Session(client, "shell", label="of-systemd", checkpoints="off")
        assert out(session.exec("echo here")) == "here\n"
        assert manager.show("SubState") == "running"
        assert any(name.startswith("qemu") for name in manager.commands())

        manager.ctl("reload", "glassbell.service")  # waits until the server says that it is ready again
        assert out(session.exec("echo still")) == "still\n"

        manager.ctl("kill", "--signal=KILL", "--kill-who=main", "glassbell.service")
    with Client(manager.socket) as client:  # the socket is the manager's: nobody is refused meanwhile
        lost, = client.call("session.list", state="lost")["sessions"]
        assert lost["label"] == "of-systemd"
        cells = client.call("session.history", session=session.id)["cells"]
        assert [cell["stdout"] for cell in cells] == ["here\n", "still\n"]
        wait_for(lambda: manager.show("NRestarts") == "1", what="the restart")
        wait_for(lambda: not any(name.startswith("qemu") for name in manager.commands()),
                 what="the end of the VM")

        session = Session(client, "shell", checkpoints="off")
        running = session.send("echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done", stream=True)
        while session.note().get("text") != "begun\n":
            pass
        session.write("go", b"")
        stop = subprocess.Popen(manager.command("stop", "glassbell.service"), env=manager.env)
        assert out(running.wait()) == "begun\ndone\n"
        assert stop.wait(DEADLINE) == 0
    assert manager.show("Result") == "success" and manager.commands() == []
    assert manager.show("ActiveState") == "inactive"

    listed = subprocess.run([BINARY, "ls", "--all", "--json", "--no-autostart"], env=manager.env,
                            capture_output=True, check=True, timeout=DEADLINE).stdout
    assert {entry["state"] for entry in json.loads(listed)} == {"lost", "closed"}
    assert manager.show("SubState") == "running"  # the client has started it again
