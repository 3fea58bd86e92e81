# SPDX-License-Identifier: Apache-2.0
"""A real OpenSSH server on the loopback, of the test's own: its keys, its configuration, its port.

Nothing of the machine's or the user's own configuration of ssh is read or changed. The clients under
test start `ssh` by its name, and find a script that hands the configuration to the real one.
"""

import atexit
import contextlib
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from support import BINARY, DEADLINE, wait_for

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
SSH = shutil.which("ssh")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sshd:
    """`env` is what commands that come in find in their environment."""

    def __init__(self, env, program=BINARY):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glassbell-sshd-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o700)
        self.user = getpass.getuser()
        self.far = self.folder / "far"  # what there is on the far end's PATH
        self.near = self.folder / "near"  # in front of the near end's
        for folder in (self.far, self.near):
            folder.mkdir()
        (self.far / "glassbell").symlink_to(program)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized_keys")
        self.env = dict(env, PATH=f"{self.far}:/usr/bin:/bin")
        self.process = None
        if os.geteuid() == 0:  # which init makes where ssh is a service
            os.makedirs("/run/sshd", 0o755, exist_ok=True)
        self.start()
        (self.near / "ssh").write_text(f'#!/bin/sh\necho x >>{self.folder}/calls\nexec {SSH} -F {self.folder}/ssh_config "$@"\n')
        (self.near / "ssh").chmod(0o755)

    def start(self):
        """Binds a port that is free, another one when somebody was quicker."""
        for _ in range(5):
            self.port = free_port()
            self._configure()
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "wb"))
            wait_for(lambda: self.process.poll() is not None or b"Server listening" in self.log(), what="an ssh server")
            if self.process.poll() is None:
                return
        raise RuntimeError(f"sshd does not start:\n{self.log().decode()}")

    def _configure(self):
        values = " ".join(f'"{name}={value}"' for name, value in self.env.items())
        (self.folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {self.folder}/authorized_keys\nStrictModes no\n"
            f"UsePAM {'yes' if os.geteuid() == 0 else 'no'}\n"  # without it accounts that have no password are locked
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
            f"SetEnv {values}\n")
        key = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        (self.folder / "ssh_config").write_text(
            f"Host far\n  HostName 127.0.0.1\n  Port {self.port}\nHost *\n  IdentityFile {self.folder}/user\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {self.folder}/known_hosts\n  StrictHostKeyChecking yes\n")

    def log(self):
        return (self.folder / "log").read_bytes()

    def calls(self):
        """How often ssh was started."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "calls").read_text().count("x")
        return 0

    @property
    def url(self):
        return f"ssh://{self.user}@127.0.0.1:{self.port}"

    def near_env(self, **more):
        """The environment of clients: it leads to no server but the one behind ssh."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GLASSBELL_SOCKET")}
        nowhere = self.folder / "nowhere"
        nowhere.mkdir(mode=0o700, exist_ok=True)
        return {**env, "PATH": f"{self.near}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(nowhere),
                "XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1", **more}

    def links(self):
        """The processes of the server that carry a connection."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
                parent = int(stat.rsplit(")", 1)[1].split()[1])
                if parent == self.process.pid:
                    found.append(int(entry))
        return found

    def cut(self):
        """Ends what carries connections, as a network that goes away does."""
        links = self.links()
        for pid in links:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return links

    def stop(self):
        self.cut()
        self.process.terminate()
        self.process.wait(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
