# SPDX-License-Identifier: Apache-2.0
"""Sessions whose interpreter has to be killed with a cell go back to how they were before it."""

import base64

import past
from support import Session, Watcher, alive, out, qemu_pid, wait_for, with_settings

STUBBORN = ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "x = 'changed'\nopen('f', 'w').write('changed')\nopen('g', 'w').close()\n"
            "print('begun', flush=True)\nwhile True: pass")
STUBBORN_MS = 8000  # long enough for it to have begun

server, client = past.server, past.client  # the fixtures


def prepare(session):
    session.exec("import os, random; random.seed(42); x = [1]; open('f', 'w').write('one')")
    session.exec("g = iter(range(10)); next(g)")
    return session.call("session.checkpoint")


SHOW = "print(x, open('f').read(), os.path.exists('g'), next(g), random.random())"
AS_BEFORE = "[1] one False 1 0.6394267984578837\n"


def test_a_time_out_costs_no_state(server, client, session):
    taken = prepare(session)
    before = session.get()
    old = qemu_pid(client, session.id)
    with Watcher(server, sessions=[session.id]) as watcher:
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        rewound = watcher.until("session.rewound")[-1]
        finished = watcher.until("cell.finished")[-1]["info"]
    assert cell["timed_out"] and not cell["state_lost"]
    assert cell["rolled_back"] == finished["rolled_back"] == \
        {"checkpoint": taken["seq"], "cell": 2, "lost": 0}
    assert out(cell) == "begun\n"
    assert (rewound["rolled_back"], rewound["cell"], rewound["from_checkpoint"]) == (3, 2, 0)
    assert rewound["undone"] == [[3, 3]]
    after = session.get()
    assert after["incarnation"] == before["incarnation"]
    shown = session.exec(SHOW)
    assert out(shown) == AS_BEFORE and shown["cell"] == 4
    wait_for(lambda: not alive(old))
    # The truth about what ran stays.
    told = session.call("session.history", limit=10)["cells"]
    assert [(one["cell"], one.get("undone", False)) for one in told] == \
        [(1, False), (2, False), (3, True), (4, False)]
    assert told[2]["rolled_back"] == cell["rolled_back"] and told[2]["timed_out"]
    assert out(told[2]) == "begun\n"


def test_again_and_again(session):
    prepare(session)
    for _ in range(3):
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        assert cell["rolled_back"]["lost"] == 0 and cell["rolled_back"]["cell"] == 2
    assert out(session.exec(SHOW)) == AS_BEFORE


def test_an_interrupt_that_ends_the_interpreter(session):
    prepare(session)
    pending = session.send(STUBBORN.replace("SIG_IGN", "SIG_DFL"))
    wait_for(lambda: any(
        entry["name"] == "g" for entry in session.call("file.list", path=".")["entries"]))
    session.call("session.interrupt")
    cell = pending.wait()
    assert cell["interrupted"] and not cell["state_lost"]
    assert cell["rolled_back"]["cell"] == 2
    assert out(session.exec(SHOW)) == AS_BEFORE


def test_no_memory_left(session):
    prepare(session)
    cell = session.exec("x = 'changed'\nopen('f', 'w').write('changed')\nkeep = []\n"
                        "while True: keep.append(bytearray(os.urandom(1 << 20)))", timeout_ms=120000)
    assert cell["oom"] and not cell["state_lost"], cell
    assert cell["rolled_back"]["cell"] == 2
    assert out(session.exec(SHOW)) == AS_BEFORE


def test_cells_that_wait_run_afterwards(session):
    prepare(session)
    pending = session.send(STUBBORN, timeout_ms=STUBBORN_MS)
    next_one = session.send(SHOW)
    last = session.send("x.append(2); print(x)")
    assert pending.wait()["rolled_back"]["lost"] == 0
    assert out(next_one.wait()) == AS_BEFORE
    assert out(last.wait()) == "[1, 2]\n"
    told = session.call("session.history", limit=10)["cells"]
    assert [one["cell"] for one in told if one.get("undone")] == [3]
    session.call("session.checkpoint")
    assert session.call("session.checkpoints")["checkpoints"][-1]["cell"] == 5


def test_half_a_file_is_waited_for(client, session):
    prepare(session)
    pending = session.send(STUBBORN, timeout_ms=STUBBORN_MS)
    wait_for(lambda: session.get()["state"] == "running")
    text = base64.b64encode(b"half").decode()
    session.call("file.write", path="big", base64=text, offset=0, final=False)
    # The interpreter ends meanwhile, and the file is whole before the session goes back.
    wait_for(lambda: session.get()["state"] == "idle")
    session.call("file.write", path="big", base64=text, offset=4, final=True)
    assert pending.wait()["rolled_back"]["cell"] == 2
    assert out(session.exec("print(os.path.exists('big'))")) == "False\n"


def test_only_from_just_before(session):
    prepare(session)
    session.exec("x.append(2)")
    cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
    assert cell["state_lost"] and "rolled_back" not in cell
    assert out(session.exec("print('x' in globals(), open('f').read())")) == "False changed\n"
    assert session.get()["incarnation"] == 2


def test_the_caller_may_refuse(session):
    prepare(session)
    cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS, rollback=False)
    assert cell["state_lost"] and "rolled_back" not in cell
    assert out(session.exec("print('x' in globals(), open('f').read())")) == "False changed\n"


def test_the_settings_may_refuse(tmp_path):
    with with_settings(tmp_path, "[past]\nrollback = off\ncheckpoints = asked\n") as server, server.client() as client:
        session = Session(client)
        prepare(session)
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        assert cell["state_lost"] and "rolled_back" not in cell
        session.close()


def test_the_nearest_if_the_settings_say_so(tmp_path):
    with with_settings(tmp_path, "[past]\nrollback = nearest\ncheckpoints = asked\n") as server, server.client() as client:
        session = Session(client)
        taken = prepare(session)
        session.exec("x.append(2)")
        session.exec("x.append(3)")
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        assert cell["rolled_back"] == {"checkpoint": taken["seq"], "cell": 2, "lost": 2}
        assert out(session.exec(SHOW)) == AS_BEFORE
        told = session.call("session.history", limit=10)["cells"]
        assert [one["cell"] for one in told if one.get("undone")] == [3, 4, 5]
        session.exec("x.append(4)")
        # In the life that began there, too.
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        assert cell["rolled_back"] == {"checkpoint": taken["seq"], "cell": 2, "lost": 2}
        assert out(session.exec("print(x)")) == "[1]\n"
        session.close()


def test_by_default(tmp_path):
    with with_settings(tmp_path, "") as server, server.client() as client:
        session = Session(client)
        session.exec("import os, random; random.seed(42); x = [1]; open('f', 'w').write('one'); "
                     "g = iter(range(10)); next(g)")
        wait_for(lambda: [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]][-1:]
                 == [1])
        cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
        assert cell["rolled_back"]["cell"] == 1
        assert out(session.exec(SHOW)) == AS_BEFORE
        session.close()


def test_what_did_not_kill_it_is_not_taken_back(session):
    prepare(session)
    cell = session.exec("x = 'changed'\nwhile True: pass", timeout_ms=STUBBORN_MS)
    assert cell["timed_out"] and not cell["state_lost"] and "rolled_back" not in cell
    assert out(session.exec("print(x)")) == "changed\n"


def test_without_a_past_state_is_lost(session):
    session.exec("x = 1")
    cell = session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
    assert cell["state_lost"] and "rolled_back" not in cell


def test_a_session_that_is_closed_meanwhile(client):
    session = Session(client, idle_ms=0)
    prepare(session)
    pending = session.send(STUBBORN, timeout_ms=STUBBORN_MS)
    wait_for(lambda: session.get()["state"] == "running")
    text = base64.b64encode(b"half").decode()
    session.call("file.write", path="big", base64=text, offset=0, final=False)
    wait_for(lambda: session.get()["state"] == "idle")
    assert not pending.done()
    session.close()
    cell = pending.wait()
    assert cell["timed_out"] and cell["state_lost"] and "rolled_back" not in cell


def test_a_fork_is_made_of_a_session_that_went_back(client, session):
    prepare(session)
    session.exec(STUBBORN, timeout_ms=STUBBORN_MS)
    (child,) = session.call("session.fork")["sessions"]
    shown = client.call("session.exec", session=child["session"], code=SHOW)
    assert out(shown) == AS_BEFORE
    client.call("session.close", session=child["session"])
