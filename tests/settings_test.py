# SPDX-License-Identifier: Apache-2.0
"""The settings file: what a server takes from it, at its start and on SIGHUP."""

import json
import os
import signal
import subprocess

import pytest

from support import BINARY, Failure, Server, wait_for


def limits(client):
    return client.call("hello")["limits"]


def test_taken_at_the_start_and_on_hangup(tmp_path):
    file = tmp_path / "a.conf"
    file.write_text("[server]\nlog_level = info\n[sessions]\nmax_stdout = 2M\ntimeout = 1m\nmaximum = 3\n")
    with Server("--config", str(file)) as server, server.client() as client:
        before = limits(client)
        assert (before["stdout_default"], before["timeout_default_ms"], before["sessions"]) == (2 << 20, 60000, 3)

        # A bad file changes nothing, and the log says where it is bad.
        file.write_text("[sessions]\nmax_stdout = 4M\ntimeuot = 2m\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: f"{file}:3: [sessions] has no option" in server.log.read_text(), what="the complaint")
        assert limits(client) == before

        file.write_text("[server]\nlog_level = info\nrequire_isolation = yes\n[sessions]\nmax_stdout = 4M\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "settings: read again" in server.log.read_text(), what="the reload")
        after = limits(client)
        assert (after["stdout_default"], after["timeout_default_ms"], after["sessions"]) == (4 << 20, 30000, 1024)
        log = server.log.read_text()
        assert "[sessions] max_stdout has changed\n" in log
        assert "[server] require_isolation has changed, and waits for the next start\n" in log


def test_apply_to_sessions_and_cells(tmp_path):
    file = tmp_path / "a.conf"
    file.write_text("[sessions]\nidle = 2h\nmax_stdout = 5\nmaximum = 1\n")
    with Server("--config", str(file)) as server, server.client() as client:
        opened = client.call("session.open", image="shell")
        with pytest.raises(Failure) as refused:
            client.call("session.open", image="shell")
        assert refused.value.kind == "capacity" and "1 session is open" in str(refused.value)
        cell = client.call("session.exec", session=opened["session"], code="echo 1234567")
        assert cell["stdout"] == "12345" and cell["truncated"]["stdout"] == 3
        session = client.call("session.get", session=opened["session"])
        assert 7100 < session["expires_at"] - session["last_active_at"] < 7300


@pytest.mark.parametrize("arguments", [["--foreground"], ["--daemon"]])
def test_a_bad_file_stops_the_start(tmp_path, arguments):
    file = tmp_path / "a.conf"
    file.write_text("\n[server]\ndrain = soon\n")
    result = subprocess.run([BINARY, "serve", *arguments, "--config", str(file),
                             "--socket", str(tmp_path / "s")], capture_output=True, text=True)
    assert result.returncode != 0
    assert f"{file}:3: drain wants a time" in result.stderr


def test_doctor_reads_it_too(tmp_path):
    file = tmp_path / "a.conf"
    file.write_text("[admission]\nmemory = 123M\n")
    env = dict(os.environ, GLASSBELL_CONFIG=str(file), XDG_RUNTIME_DIR=str(tmp_path))

    def findings():
        result = subprocess.run([BINARY, "doctor", "--json"], env=env, capture_output=True, text=True)
        return {one["what"]: one for one in json.loads(result.stdout)["findings"]}

    found = findings()
    assert found["settings"]["text"] == str(file)
    assert "123M of memory for VMs (by the settings)" in found["room"]["text"]
    file.write_text("[admission]\nmemmory = 123M\n")
    assert found["settings"]["verdict"] == "ok" and findings()["settings"]["verdict"] == "missing"
