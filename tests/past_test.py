# SPDX-License-Identifier: Apache-2.0
"""The past of a session: checkpoints, and sessions that are taken back to them. What is kept of it: kept_test."""

import base64
import json
import os
import random
import re
import select
import subprocess
import time

import pytest

import past
from past import checkpoint, refused, rewind
from support import BINARY, Session, Watcher, data_of, out, wait_for

server, client = past.server, past.client  # the fixtures


def test_variables_files_and_processes_come_back(session):
    session.exec("import os, random, subprocess; random.seed(42); x = [1]; n = random.random()")
    session.exec("child = subprocess.Popen(['sleep', '1000']); open('f', 'w').write('one')")
    session.exec("g = (i for i in range(10)); next(g); half = open('half', 'w'); half.write('buffered')")
    taken = checkpoint(session, name="start")
    assert taken["cell"] == 3 and taken["pages"] > 0 and taken["bytes"] > 0
    after = "print(x, open('f').read(), child.poll(), random.random(), next(g), os.urandom(8).hex())"
    first = out(session.exec(after)).split()
    session.exec("x.append(2); open('f', 'w').write('two'); child.kill(); child.wait(); os.mkdir('d')")
    back = rewind(session, name="start")
    assert back["cell"] == 3 and back["seq"] == taken["seq"] and back["epoch"] == 2
    assert back["from_cell"] == 5
    again = session.exec(after + "; half.flush(); print(open('half').read(), os.path.exists('d'))")
    assert again["cell"] == 6  # no number is used twice
    words = out(again).split()
    assert words[:-3] == first[:-1]
    assert words[-3] != first[-1]  # the kernel's random numbers are others
    assert words[-2:] == ["buffered", "False"]


@pytest.mark.parametrize("image, change, show", [
    ("javascript", "x = (globalThis.x ?? 0) + 1; require('fs').writeFileSync('f', `${x}`)",
     "console.log(x, require('fs').readFileSync('f', 'utf8'))"),
    ("shell", "x=$((x + 1)); echo $x > f", "echo $x $(cat f)"),
])
def test_other_languages(client, image, change, show):
    client.send("image.warm", image=image).wait(240)
    session = Session(client, image=image)
    for _ in range(3):
        assert session.exec(change)["exit_code"] == 0
        checkpoint(session)
    assert out(session.exec(show)) == "3 3\n"
    assert rewind(session, cell=1)["cell"] == 1
    assert out(session.exec(show)) == "1 1\n"
    assert rewind(session, cell=3)["cell"] == 3
    assert out(session.exec(show)) == "3 3\n"
    session.close()


def test_steps_back_and_forward(session):
    for i in range(1, 4):
        session.exec(f"x = {i}")
        checkpoint(session)
    session.exec("x = 4")
    assert rewind(session, steps=1)["cell"] == 3  # a moment that nobody kept is left, and kept
    assert out(session.exec("print(x)")) == "3\n"
    rewind(session, steps=1)
    assert rewind(session, steps=2)["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"
    rewind(session, steps=1)
    assert refused("gone", session, steps=1).error["data"]["nearest"]["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"  # it goes on as it was


def test_a_session_has_its_own_policy(server, client):
    """Whoever opens it says when checkpoints are taken; forks have that of their parent, unless they are bound."""
    cells = lambda session: [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]]  # noqa: E731
    off = Session(client, checkpoints="off")
    assert "without checkpoints" in str(refused("no_past", off, "session.checkpoint"))
    asked, idle = Session(client, checkpoints="asked"), Session(client, checkpoints="idle", idle_ms=0)
    for i in (1, 2):
        idle.exec(f"x = {i}")
        wait_for(lambda i=i: i in cells(idle))
        asked.exec(f"x = {i}")
    assert rewind(idle, steps=1)["cell"] == 1 and cells(asked) == []
    with server.client() as other:
        told = other.call("session.fork", session=idle.id, count=2, bound=True)["sessions"]
        kept = client.call("session.fork", session=idle.id)["sessions"][0]["session"]
        bound = other.call("session.exec", session=told[0]["session"], code="x")
        assert bound["value"] == "1"
        client.call("session.exec", session=kept, code="x = 3")
        wait_for(lambda: [one for one in client.call("session.checkpoints", session=kept)["checkpoints"]
                          if one["cell"] == bound["cell"]])
        assert client.call("session.checkpoints", session=told[0]["session"])["checkpoints"] == []
    gone = {one["session"] for one in told}
    wait_for(lambda: not gone & {one["session"] for one in client.call("session.list")["sessions"]})
    assert client.call("session.exec", session=kept, code="x")["value"] == "3"
    client.call("session.close", session=kept)
    for session in (off, asked, idle):
        session.close()


def test_looking_is_no_step(session):
    """Whoever lists files, reads them or completes a name between steps is not in their way."""
    def look():
        session.call("file.list", path=".")
        session.call("file.stat", path="f")
        assert session.read("f")
        session.call("session.complete", code="x", cursor=1)
        session.call("session.is_complete", code="x")
        session.call("session.describe", code="x")
        session.get()

    for i in range(1, 4):
        session.exec(f"x = {i}; _ = open('f', 'w').write(str(x))")
        checkpoint(session)
    count = len(session.call("session.checkpoints")["checkpoints"])
    look()
    assert rewind(session, steps=1)["cell"] == 2
    look()
    assert rewind(session, steps=1)["cell"] == 1
    look()
    assert rewind(session, steps=-1)["cell"] == 2
    look()
    assert rewind(session, steps=-1)["cell"] == 3
    assert session.read("f") == b"3"
    assert len(session.call("session.checkpoints")["checkpoints"]) == count
    session.write("f", b"by a client")  # a change: the moment is kept
    assert rewind(session, steps=1)["cell"] == 3
    assert session.read("f") == b"3"
    assert rewind(session, steps=-1)["cell"] == 3
    assert session.read("f") == b"by a client"


def test_forward_leads_where_it_was_left(session):
    session.exec("x = 'a'")
    checkpoint(session)
    session.exec("x = 'b'")
    rewind(session, steps=1)
    assert rewind(session, steps=-1)["cell"] == 2
    assert out(session.exec("print(x)")) == "b\n"
    rewind(session, cell=1)
    session.exec("x = 'c'")
    checkpoint(session)
    rewind(session, steps=1)
    rewind(session, steps=-1)
    assert out(session.exec("print(x)")) == "c\n"  # the branch that was left last
    rewind(session, cell=2)
    assert out(session.exec("print(x)")) == "b\n"  # and the other is there still
    refused("gone", session, steps=-1)


def test_what_is_not_there_is_said_with_what_is_nearest(session):
    refused("gone", session, cell=0)
    for i in range(1, 5):
        session.exec(f"x = {i}")
        if i != 3:
            checkpoint(session)
    assert refused("gone", session, cell=3).error["data"]["nearest"]["cell"] in (2, 4)
    assert refused("gone", session, cell=99).error["data"]["nearest"]["cell"] == 4
    assert refused("gone", session, seq=99).error["data"]["nearest"]["seq"] == 3
    assert refused("gone", session, name="no").error["data"]["nearest"] is not None
    for wrong in ({}, {"cell": 1, "steps": 1}, {"seq": 1, "name": "x"}):
        refused("invalid_input", session, **wrong)
    refused("invalid_input", session, seq=0)
    assert out(session.exec("print(x)")) == "4\n"


def test_a_name_is_one_moment_s(session):
    session.exec("x = 1")
    checkpoint(session, name="n")
    session.exec("x = 2")
    checkpoint(session, name="n")
    told = session.call("session.checkpoints")
    assert [one["name"] for one in told["checkpoints"]] == [None, "n"]
    assert [one["here"] for one in told["checkpoints"]] == [False, True]
    assert [one["parent"] for one in told["checkpoints"]] == [None, 1]
    assert told["more"] is False and told["epoch"] == 1
    assert told["bytes"] >= sum(one["bytes"] for one in told["checkpoints"])
    part = session.call("session.checkpoints", limit=1)
    assert part["more"] is True and [one["seq"] for one in part["checkpoints"]] == [1]
    assert [one["seq"] for one in session.call("session.checkpoints", after=1)["checkpoints"]] == [2]
    session.exec("x = 3")
    rewind(session, name="n")
    assert out(session.exec("print(x)")) == "2\n"


def test_a_cell_that_runs_is_waited_for_or_interrupted(session):
    session.exec("import time; x = 1")
    checkpoint(session)
    running = session.send("x = 2; time.sleep(1000)", timeout_ms=600000)
    waiting = session.send("x = 3")
    refused("busy", session, steps=1, wait_ms=100)
    refused("busy", session, "session.checkpoint", wait_ms=0)
    # A wrong target costs nothing: neither the cell nor those that wait.
    for wrong in ({"cell": 99}, {"seq": 99}, {"name": "no"}, {"steps": 2}, {"steps": -1}):
        refused("gone", session, interrupt=True, drop_queued=True, **wrong)
    assert session.get()["state"] == "running"
    assert rewind(session, cell=1, interrupt=True, drop_queued=True)["cell"] == 1
    assert running.wait()["interrupted"] is True
    assert waiting.wait()["started_at"] is None
    assert out(session.exec("print(x)")) == "1\n"
    running = session.send("x = input()", interactive=True)
    asked = session.client.send("session.rewind", session=session.id, steps=1)
    session.call("session.stdin", text="ready\n")
    running.wait()
    asked.wait()
    assert out(session.exec("print(x)")) == "1\n"


def test_what_is_asked_meanwhile_waits_and_is_done_after(session):
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    asked = session.client.send("session.rewind", session=session.id, steps=1)
    cells = [session.send(f"x += 1; print(x, {i})") for i in range(5)]
    written = session.client.send("file.write", session=session.id, path="late", text="y", final=True)
    asked.wait()
    written.wait()
    assert [out(cell.wait()) for cell in cells] == [f"{i + 2} {i}\n" for i in range(5)]
    assert session.read("late") == b"y"


def test_a_cell_that_waits_for_a_checkpoint_can_be_interrupted(client, session):
    """Who interrupts what he has just sent is not told that nothing is running."""
    session.exec("x = 1")
    for _ in range(3):
        asked = client.send("session.checkpoint", session=session.id)
        cells = [session.send("import time; time.sleep(1000)", timeout_ms=600000), session.send("print(x)")]
        session.call("session.interrupt")
        asked.wait()
        assert cells[0].wait()["interrupted"] is True
        assert out(cells[1].wait()) == "1\n"


def piece(text, offset=0, final=False, path="big"):
    return {"path": path, "text": text, "offset": offset, "final": final}


def test_half_a_file_is_waited_for(server, session):
    """What a client has sent of a file is in the guest: neither kept as half, nor taken away under its hands."""
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    with server.client() as other:
        other.call("file.write", session=session.id, **piece("one "))
        for method, options in (("session.rewind", {"steps": 1}), ("session.checkpoint", {})):
            failed = refused("busy", session, method, wait_ms=100, **options)
            assert "file is on its way into the session" in str(failed)
        asked = session.client.send("session.rewind", session=session.id, steps=1)
        assert out(session.exec("print(x)")) == "2\n"  # meanwhile it goes on
        other.call("file.write", session=session.id, **piece("two", 4, True))
        back = asked.wait()
        assert out(session.exec("import os; print(x, os.path.exists('big'))")) == "1 False\n"
        rewind(session, seq=back["from_seq"])
        assert out(session.exec("print(x, open('big').read())")) == "2 one two\n"
        # One whose client goes away is not waited for.
        other.call("file.write", session=session.id, **piece("half", path="half"))
        asked = session.client.send("session.rewind", session=session.id, seq=1)
    assert asked.wait()["cell"] == 1
    assert out(session.exec("import os; print(x, os.listdir())")) == "1 []\n"


def test_files_that_come_and_go_are_not_disturbed(server, session):
    """Checkpoints between the pieces of long downloads and uploads: each of them is whole, and right."""
    session.exec("import os; data = os.urandom(6 << 20); f = open('big', 'wb'); _ = f.write(data); f.close()")
    with server.client() as other:
        reads = [other.send("file.read", session=session.id, path="big", offset=at << 20, length=1 << 20)
                 for at in range(6)]
        first = checkpoint(session)
        whole = b"".join(data_of(read.wait()) for read in reads)
        writes = [other.send("file.write", session=session.id, path="copy", final=at == 5, offset=at << 20,
                             base64=base64.b64encode(whole[at << 20:(at + 1) << 20]).decode()) for at in range(6)]
        second = checkpoint(session)
        for write in writes:
            write.wait()
    assert second["seq"] > first["seq"]
    assert out(session.exec("print(open('copy', 'rb').read() == data)")) == "True\n"
    rewind(session, seq=second["seq"])
    assert out(session.exec("print(open('copy', 'rb').read() == data)")) == "True\n"


def undone(session):
    return [cell["cell"] for cell in session.call("session.history", limit=100)["cells"] if cell.get("undone")]


def test_cells_that_were_undone_are_told(server, client, tmp_path):
    session = Session(client, key="undone")
    for i in range(1, 6):
        session.exec(f"x = {i}")
        if i in (2, 4):
            checkpoint(session)
    with Watcher(server, sessions=[session.id], kinds=["session.rewound"]) as watcher:
        rewind(session, cell=2)
        assert watcher.until("session.rewound")[-1]["undone"] == [[3, 5]]
        assert undone(session) == [3, 4, 5]
        # Nothing was done since: this moment is that behind cell 2, whatever number comes next.
        assert checkpoint(session)["cell"] == 2
        session.exec("y = 6")
        taken = checkpoint(session)
        assert taken["cell"] == 6
        assert rewind(session, cell=4)["from_cell"] == 6  # forward to what was undone
        assert watcher.until("session.rewound")[-1]["undone"] == [[5, 6]]
        assert undone(session) == [5, 6]
        rewind(session, seq=taken["seq"])
        assert watcher.until("session.rewound")[-1]["undone"] == [[3, 5]]
    # Cells that come while it is on its way are of the new life.
    asked = session.client.send("session.rewind", session=session.id, cell=2)
    late = [session.send("print(x)") for _ in range(3)]
    asked.wait()
    assert [out(cell.wait()) for cell in late] == ["2\n"] * 3
    assert undone(session) == [3, 4, 5, 6]
    log = glassbell(server, "log", "undone").stdout
    heads = [line for line in log.splitlines() if re.match(r"\[\d+\]", line)]
    assert [line.endswith("  undone") for line in heads] == [False, False] + [True] * 4 + [False] * 3
    done = glassbell(server, "export", "undone")
    assert "4 undone cells are left out" in done.stderr
    assert [cell["execution_count"] for cell in json.loads(done.stdout)["cells"]] == [1, 2, 7, 8, 9]
    whole = json.loads(glassbell(server, "export", "undone", "--all").stdout)["cells"]
    assert [cell["execution_count"] for cell in whole if cell["metadata"]["glassbell"].get("undone")] == [3, 4, 5, 6]
    script = glassbell(server, "export", "undone", "--all", "--format", "py").stdout
    assert "undone\n# x = 3" in script and "\nx = 2" in script
    session.close()
    assert undone(session) == [3, 4, 5, 6]  # that is in the journal


@pytest.mark.parametrize("words", [["watch"], ["log", "--follow"]])
def test_who_watches_in_a_terminal_is_told(server, client, words):
    session = Session(client, key="seen")
    session.exec("x = 1")
    checkpoint(session)
    watching = subprocess.Popen([BINARY, *words, "seen"], env=server.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: session.exec("print(1)") and select.select([watching.stdout], [], [], 0)[0])
    backs = [rewind(session, cell=1), rewind(session, steps=-1)]
    session.close()
    text, _ = watching.communicate(timeout=60)
    assert backs[1]["cell"] > 1
    assert [f"[rewound to its state after cell {back['cell']}]" in text for back in backs] == [True, True], text


def test_a_program_at_a_terminal_is_waited_for(client, session):
    """It is somebody's who looks at it and types: it is neither cut off nor left behind."""
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    at = {"session": session.id,
          "terminal": client.call("session.terminal", session=session.id, args=["sh", "-c", "read x"])["terminal"]}
    for method, options in (("session.checkpoint", {}), ("session.rewind", {"steps": 1, "interrupt": True})):
        failed = refused("busy", session, method, wait_ms=100, **options)
        assert "a program runs at a terminal of the session" in str(failed)
    asked = client.send("session.rewind", session=session.id, steps=1)
    assert out(session.exec("print(x)")) == "2\n"  # meanwhile it goes on
    client.call("terminal.input", text="over\r", **at)
    assert asked.wait()["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"


def test_a_program_at_a_terminal_that_is_asked_for_meanwhile_begins_after(client, session):
    session.exec("open('f', 'w').write('then')")
    checkpoint(session)
    session.exec("open('f', 'w').write('now')")
    asked = client.send("session.rewind", session=session.id, steps=1)
    number = client.call("session.terminal", session=session.id, args=["grep", "-q", "then", "f"])["terminal"]
    assert asked.wait()["epoch"] == 2
    wait_for(lambda: not session.get().get("terminals"))
    ended = client.call("terminal.list", session=session.id)["terminals"][-1]
    assert ended["terminal"] == number and ended["exit_code"] == 0


def test_only_who_holds_the_session_takes_it_back(server, session):
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    with server.client() as other:
        other.call("session.lease", session=session.id, action="take")
        refused("held", session, steps=1)
        assert other.call("session.rewind", session=session.id, steps=1)["cell"] == 1
    wait_for(lambda: not session.get()["lease"])
    assert out(session.exec("print(x)")) == "1\n"


def test_those_who_watch_are_told(server, session):
    with Watcher(server, sessions=[session.id], kinds=["session.checkpointed", "session.rewound"]) as watcher:
        session.exec("x = 1")
        taken = checkpoint(session)
        told = watcher.until("session.checkpointed")[-1]
        assert (told["cell"], told["checkpoint"]) == (1, taken["seq"])
        session.exec("x = 2")
        back = rewind(session, steps=1)
        told = watcher.until("session.rewound")[-1]
        assert {key: told[key] for key in ("checkpoint", "cell", "epoch", "from_checkpoint", "from_cell")} == \
            {"checkpoint": taken["seq"], "cell": 1, "epoch": 2, "from_checkpoint": back["from_seq"], "from_cell": 2}


def test_the_clock_is_right(session):
    checkpoint(session)
    time.sleep(1.5)  # which the clock of the checkpoint knows nothing of
    rewind(session, seq=1)
    before = time.time()
    told = float(out(session.exec("import time; print(time.time())")))
    assert before - 0.1 < told < time.time() + 0.1


PRINTER = ("import subprocess; p = subprocess.Popen(['sh', '-c', "
           "'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.01; done'])")


def test_a_program_goes_on_printing(server, session):
    session.exec(PRINTER)
    taken = checkpoint(session)
    with Watcher(server, sessions=[session.id], kinds=["cell.output", "session.rewound"], output=True) as watcher:
        for _ in range(3):
            rewind(session, seq=taken["seq"])
            watcher.until("session.rewound")
            # In its new life it goes on where it was then, and no line of it is missing.
            text = ""
            while text.count("\n") < 20:
                told = watcher.until("cell.output")[-1]
                assert told["cell"] == 1 and told["background"] is True
                text += told["text"]
            numbers = [int(line.split()[1]) for line in text.splitlines()[:-1]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    session.exec("p.kill()")


def test_a_session_with_a_network_is_taken_back(client):
    """What it may reach is the server's, and stays as it is; tests/network_past_test.py has more."""
    session = Session(client, network={"rules": ["allow example.com"]})
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    session.call("session.network", network={"rules": ["allow example.org"]})
    assert rewind(session, cell=1)["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"
    assert session.call("session.network")["rules"] == "allow example.org\n"
    session.exec("x = 3")
    session.call("session.network", network="none")
    assert rewind(session, cell=1)["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"
    session.close()


REWINDS = int(os.environ.get("GLASSBELL_PAST_REWINDS", "15"))


def test_random_rewinds_in_a_growing_tree(client, session):
    """A program prints all the while; each life goes on, and is kept again."""
    rewinds = 0
    chance = random.Random(7)
    session.exec("import os, random, subprocess; random.seed(7); log = []\n" + PRINTER)
    moments, draws, seen = {}, {}, set()

    def live(path):
        number = int(out(session.exec("print(len(log))")))
        assert number == len(path)
        text = out(session.exec(
            f"log.append({len(path)}); f = open('f', 'a'); _ = f.write('x'); f.close()\n"
            "print(log, os.path.getsize('f'), random.random(), p.poll(), os.urandom(8).hex())"))
        value = re.fullmatch(r"(\[.*\]) (\d+) (\S+) (\S+) ([0-9a-f]{16})\n", text)
        assert value, text
        assert value[1] == str(list(range(len(path) + 1)))
        assert int(value[2]) == len(path) + 1 and value[4] == "None"
        # What was drawn depends on how many were drawn before, whatever else has been lived.
        assert draws.setdefault(len(path), value[3]) == value[3]
        assert value[5] not in seen
        seen.add(value[5])
        path = path + [len(path)]
        moments[checkpoint(session)["seq"]] = path
        return path

    path = live([])
    while rewinds < REWINDS:
        if chance.random() < 0.6 or len(path) > 60:
            left = {one["seq"] for one in session.call("session.checkpoints", limit=1000)["checkpoints"]}
            seq = chance.choice(sorted(left & set(moments)))
            back = rewind(session, seq=seq)
            moments[back["from_seq"]] = path
            path = moments[seq]
            rewinds += 1
        path = live(path)
    print(f"{rewinds} rewinds, {len(seen)} lives, {len(moments)} moments")
    assert session.get()["state"] == "idle"
    assert out(session.exec("print('well')")) == "well\n"


def glassbell(server, *arguments):
    return subprocess.run([BINARY, *arguments], env=server.env, capture_output=True, text=True, check=False)


def test_from_the_command_line(server, client):
    session = Session(client, key="work")
    session.exec("x = 1")
    done = glassbell(server, "checkpoint", "work", "--name", "clean")
    assert (done.returncode, done.stdout) == (0, "checkpoint 1, after cell 1\n"), done
    session.exec("x = 2")
    done = glassbell(server, "undo", "work")
    assert (done.returncode, done.stdout) == (0, "as it was after cell 1\n"), done
    assert out(session.exec("print(x)")) == "1\n"
    rewind(session, cell=1)
    done = glassbell(server, "redo", "work")
    assert (done.returncode, done.stdout) == (0, "as it was after cell 3\n"), done
    done = glassbell(server, "rewind", "work", "2")
    assert (done.returncode, done.stdout) == (0, "as it was after cell 2\n"), done
    assert out(session.exec("print(x)")) == "2\n"
    done = glassbell(server, "rewind", "work", "-n", "clean", "--json")
    assert done.returncode == 0 and '"cell":1' in done.stdout.replace(" ", ""), done
    listed = glassbell(server, "checkpoints", "work")
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["NUMBER", "AFTER", "CELL", "SIZE", "AGE", "NAME"]
    assert lines[1].startswith(">") and lines[1].split()[-1] == "clean"
    assert len(lines) == 1 + len(session.call("session.checkpoints")["checkpoints"])
    done = glassbell(server, "rewind", "work", "77")
    assert done.returncode == 125 and "no checkpoint" in done.stderr, done
    for wrong in (["undo"], ["undo", "work", "no"], ["rewind", "work"], ["rewind", "work", "1", "-n", "x"],
                  ["checkpoints"], ["checkpoint"]):
        assert glassbell(server, *wrong).returncode in (2, 125), wrong
    session.close()


def test_a_step_may_be_several_cells(server, client):
    session = Session(client, key="quick")
    session.exec("x = 1")
    session.call("session.checkpoint")
    for i in (2, 3):  # of which none has a checkpoint of its own
        session.exec(f"x = {i}")
    done = glassbell(server, "undo", "quick")
    assert (done.returncode, done.stdout) == (0, "as it was after cell 1; what followed, up to cell 3, is undone\n")
    done = glassbell(server, "redo", "quick")
    assert (done.returncode, done.stdout) == (0, "as it was after cell 3\n")
    session.close()
