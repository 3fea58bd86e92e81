# SPDX-License-Identifier: Apache-2.0
"""Each part of the server stands for itself: a server that was built without one does all the rest."""

import pathlib
import re

import pytest

from support import BINARY, ROOT, Failure, Server, Session, Watcher, out

ENGINE = ROOT / "engine"
PARTS = re.search(r"^set\(GB_SERVER_PARTS ([\w ]+)\)", (ENGINE / "CMakeLists.txt").read_text(), re.M).group(1).split()


def without(part):
    return str(pathlib.Path(BINARY).with_name(f"glassbell-without-{part}"))


def methods_of(part):
    """The methods in the tables of a part's sources."""
    return {name for source in (ENGINE / "server" / part).glob("*.c")
            for name in re.findall(r'\{"([a-z_.]+)",\s*[a-z_]+\}', source.read_text())}


def is_known(client, method):
    try:
        client.call(method)
    except Failure as failure:
        return failure.code != -32601
    return True


@pytest.mark.parametrize("part", PARTS)
def test_any_part_can_be_left_out(part):
    """The server is built without it, knows none of its methods and all others, and runs cells."""
    own = methods_of(part)
    assert own
    with Server(binary=without(part)) as server, server.client() as client:
        for other in PARTS:
            for method in methods_of(other):
                assert is_known(client, method) == (method not in own), method
        s = Session(client)
        assert [one["session"] for one in client.call("session.list")["sessions"]] == [s.id]
        if part != "cells":
            assert out(s.exec("print(6 * 7)")) == "42\n"
        s.close()
        assert client.call("session.list")["sessions"] == []


@pytest.fixture(scope="module", params=["lease", "files", "terminal"])
def lacking(request):
    with Server(binary=without(request.param)) as server, server.client() as client:
        client.part = request.param
        yield server, client


METHODS = {
    "terminal": {"terminal.list": {}, "session.terminal": {"args": ["true"]}},
    "lease": {"session.lease": {"action": "take"}},
    "files": {
        "file.write": {"path": "a", "text": "a"},
        "file.read": {"path": "a"},
        "file.list": {},
        "file.stat": {"path": "a"},
        "file.remove": {"path": "a"},
        "file.mkdir": {"path": "a"},
    },
}


def test_what_it_lacks_is_said_and_all_the_rest_works(lacking):
    server, client = lacking
    with Watcher(server, kinds=["session.opened", "cell.finished", "session.closed"]) as watcher:
        s = Session(client, key="k")
        for part, methods in METHODS.items():
            for method, params in methods.items():
                if part == client.part:
                    with pytest.raises(Failure) as caught:
                        s.call(method, **params)
                    assert caught.value.code == -32601 and method in str(caught.value)
                else:
                    s.call(method, **params)
        assert out(s.exec("x = 6\nprint(x * 7)")) == "42\n"
        assert s.exec("x", lease_wait_ms=1000)["value"] == "6"
        info = s.get()
        assert info["cells"] == 2 and info["waiting"] is None and info["failed"] is False
        assert (info["lease"] is None) == (client.part == "lease")
        assert [c["cell"] for c in s.call("session.history")["cells"]] == [1, 2]
        assert s.call("session.complete", code="prin")["matches"]
        s.close()
        told = [event["kind"] for event in watcher.until("session.closed")]
        assert told.count("cell.finished") == 2 and told[-1] == "session.closed"
    assert client.call("session.open", key="k")["reason"] == "closed"
    assert client.call("session.list", state="closed")["sessions"][0]["session"] == s.id


def test_cells_of_two_clients_and_a_client_that_goes(lacking):
    server, client = lacking
    s = Session(client)
    with server.client() as other:
        running = s.send("import time\nwhile True: time.sleep(0.01)")
        second = other.send("session.exec", session=s.id, code="print('after')")
        s.call("session.interrupt")
        assert running.wait()["interrupted"] is True
        assert out(second.wait()) == "after\n"
        other.send("session.exec", session=s.id, code="import time\ntime.sleep(1000)")
    # Its connection is gone, and so is its cell.
    assert out(s.exec("print('free')")) == "free\n"
    s.close()


def test_run_and_figures(lacking):
    _, client = lacking
    assert out(client.call("run", code="print('run')")) == "run\n"
    stats = client.call("stats")
    assert stats["cells"] >= 1 and stats["latency"]["exec"]["count"] >= 1
    assert stats["journal"]["records"] > 0 and stats["admission"]["vms"] >= 0
    assert {image["name"] for image in client.call("hello")["images"]} >= {"python"}
