# SPDX-License-Identifier: Apache-2.0
"""What is kept of the past: its files, and damage to them, how much of it, and that no page is missed."""

import os
import signal

import pytest

import past
from past import asked, chains, checkpoint, refused, rewind, small_disk
from support import Failure, Session, alive, out, qemu_pid, wait_for

server, client = past.server, past.client  # the fixtures


CHECKPOINTS = int(os.environ.get("GLASSBELL_PAST_CHECKPOINTS", "60"))


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_many_checkpoints_of_one_vm(server, client, session):
    """Neither its process nor the server keeps anything of each; on disk are as many as are allowed."""
    session.exec("log = []")
    pid = qemu_pid(client, session.id)

    def used():
        return [len(os.listdir(f"/proc/{one}/fd")) for one in (pid, server.process.pid)]

    before = memory = None
    for i in range(CHECKPOINTS):
        session.exec(f"log.append({i})")
        told = checkpoint(session)
        if i == CHECKPOINTS // 4:
            before, memory = used(), [resident(one) for one in (pid, server.process.pid)]
    listed = session.call("session.checkpoints", limit=1000)
    wait_for(lambda: used() == before)
    after = [resident(one) for one in (pid, server.process.pid)]
    print(f"{told['seq']} checkpoints, {len(listed['checkpoints'])} kept, {listed['bytes']} bytes; descriptors of QEMU "
          f"and server {before}, KiB resident {memory}, then {after}")
    assert qemu_pid(client, session.id) == pid and told["seq"] >= CHECKPOINTS
    assert len(listed["checkpoints"]) <= 200 and listed["bytes"] < 256 << 20
    if CHECKPOINTS >= 1000:  # before that it is not at its size yet
        assert all(now < then * 1.1 + 4096 for then, now in zip(memory, after))
    assert session.exec("len(log)")["value"] == str(CHECKPOINTS)


def test_the_vm_that_was_left_ends(server, client, session):
    session.exec("x = 1")
    checkpoint(session)
    pids = set()
    descriptors = None
    for _ in range(6):
        pids.add(qemu_pid(client, session.id))
        rewind(session, seq=1)
        wait_for(lambda: not any(map(alive, pids)))
        count = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        if descriptors is not None:
            wait_for(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) <= descriptors)
        else:
            descriptors = count
    assert len(pids) == 6
    wait_for(lambda: not any(map(alive, pids)))


def test_the_files_go_with_the_session(server, client):
    before = chains(server)
    session = Session(client)
    session.exec("x = 1")
    checkpoint(session)
    chain = [path for path in chains(server) if path not in before]
    assert [path.name for path in chain] == [session.id + more for more in ("", ".awake", ".ram", ".state")]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in chain[:2]) and chain[0].parent.stat().st_mode & 0o777 == 0o700
    session.close()
    wait_for(lambda: not any(path.exists() for path in chain))
    refused("session_closed", session)


def damage(server, session):
    """One byte of the first checkpoint."""
    path = [path for path in chains(server) if path.name == session.id][0]
    listed = session.call("session.checkpoints")["checkpoints"]
    with open(path, "r+b") as file:
        file.seek(listed[0]["bytes"] // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def test_a_chain_that_is_damaged_is_noticed(server, client, session):
    session.exec("x = 1")
    checkpoint(session)
    session.exec("x = 2")
    checkpoint(session)
    damage(server, session)
    with pytest.raises(Failure) as caught:
        rewind(session, seq=1)
    assert "damaged" in str(caught.value)
    assert out(session.exec("print(x)")) == "2\n"  # it goes on as it was
    # What is taken from now on does not depend on it.
    session.exec("x = 3")
    taken = checkpoint(session)
    session.exec("x = 4")
    back = rewind(session, seq=taken["seq"])
    assert out(session.exec("print(x)")) == "3\n"
    rewind(session, seq=back["from_seq"])
    assert out(session.exec("print(x)")) == "4\n"


def test_damage_that_is_found_late_costs_one_checkpoint(tmp_path):
    """Where old ones are removed, what they are based on is read: none is named that went with it."""
    with asked(tmp_path, "[past]\nkeep = 8\n") as server, server.client() as client:
        session = Session(client)
        session.exec("x = 0")
        checkpoint(session)
        damage(server, session)
        failed = None
        for i in range(1, 20):
            session.exec(f"x = {i}")
            try:
                checkpoint(session)
            except Failure as failure:
                assert failed is None and "damaged" in str(failure)
                failed = i
                assert session.call("session.checkpoints")["checkpoints"] == []
        assert failed is not None
        told = session.call("session.checkpoints")["checkpoints"]
        numbers = {one["seq"] for one in told}
        assert all(one["parent"] is None or one["parent"] in numbers for one in told)
        assert [one["seq"] for one in told if one["here"]] == [max(numbers)]
        for one in told[-2:]:
            rewind(session, seq=one["seq"])
            assert out(session.exec("print(x)")) == f"{one['cell'] - 1}\n"
        session.close()


def test_one_is_kept_after_each_cell_when_that_is_wanted(tmp_path):
    with asked(tmp_path, "[past]\ncheckpoints = idle\n") as server, server.client() as client:
        session = Session(client)

        def cells():
            return [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]]

        wait_for(lambda: cells() == [0])
        for i in range(1, 4):
            session.exec(f"x = {i}")
            wait_for(lambda i=i: cells()[-1] == i)
        for _ in range(2):
            rewind(session, steps=1)
        assert out(session.exec("print(x)")) == "1\n"
        assert rewind(session, cell=0)["cell"] == 0
        assert session.exec("x")["exit_code"] == 1
        # Nothing was done since: no other one is taken.
        wait_for(lambda: cells()[-1] == 5)
        before = cells()
        session.get()
        client.call("stats")
        assert cells() == before
        run = client.call("run", code="print(1)")
        assert out(run) == "1\n"
        session.close()


def test_there_are_no_more_than_the_settings_allow(tmp_path):
    with asked(tmp_path, "[past]\nkeep = 8\n") as server, server.client() as client:
        session = Session(client)
        session.exec("x = 0")
        values = {checkpoint(session, name="first")["seq"]: 0}
        for i in range(1, 15):
            session.exec(f"x = {i}")
            values[checkpoint(session)["seq"]] = i
        told = session.call("session.checkpoints")["checkpoints"]
        assert len(told) <= 8 and told[-1]["cell"] == 15 and told[0]["name"] == "first"
        # The moment that is wanted stays, whatever has to go for the one that is left.
        for at in (1, 2, -2, 0):
            one = session.call("session.checkpoints")["checkpoints"][at]
            values[rewind(session, seq=one["seq"])["from_seq"]] = i
            i = values[one["seq"]]
            assert out(session.exec("print(x)")) == f"{i}\n"
            assert len(session.call("session.checkpoints")["checkpoints"]) <= 8
        assert out(session.exec("print(x)")) == "0\n"
        session.close()


CELLS = int(os.environ.get("GLASSBELL_PAST_CELLS", "15"))
MIXED = {
    "python": ["x = [random.random() for _ in range(@ * 97 % 5000)]", "s = ''.join(map(str, range(@ * 31 % 9000)))",
               "open(f'f{@ % 7}', 'wb').write(os.urandom(@ * 4099 % 300000))", "d = {j: j * 2 for j in range(@)}",
               "subprocess.run(['true'])", "del x; gc.collect()", "b = bytearray(@ * 65537 % (6 << 20))", "pass"],
    "javascript": ["x = Array.from({length: @ * 97 % 5000}, Math.random)", "fs.writeFileSync('f', 'y'.repeat(@ * 999))",
                   "b = Buffer.alloc(@ * 65537 % (6 << 20), 7)", "0"],
    "shell": ["x=$(seq @)", "head -c $((@ * 4099 % 300000)) /dev/urandom > f", "ls / | sort > g", ":"],
}


@pytest.mark.parametrize("image, before", [("python", "import gc, os, random, subprocess; x = 0"),
                                           ("javascript", "fs = require('fs'); x = b = 0"), ("shell", ":")])
@pytest.mark.parametrize("way", ["userfaultfd", "soft-dirty", "content"])
def test_no_changed_page_is_missed(tmp_path, way, image, before):
    """Each checkpoint compares all pages with what it found, and fails if it has missed one."""
    env = {"GLASSBELL_TRACKING": way, "GLASSBELL_VERIFY_TRACKING": "1"}
    with asked(tmp_path, "", env) as server, server.client() as client:
        if client.call("hello")["tracking"] != way:
            pytest.skip(f"this host's kernel has no {way}")
        client.send("image.warm", image=image).wait(240)
        session = Session(client, image=image)
        session.exec(before)
        for i in range(1, CELLS + 1):
            for text in MIXED[image]:
                session.exec(text.replace("@", str(i)))
            checkpoint(session)
            if i % 10 == 5:
                rewind(session, steps=1 + i % 3)
        session.close()


@pytest.mark.parametrize("way", ["userfaultfd", "content"])
def test_a_checkpoint_copies_what_has_changed(tmp_path, way):
    """One that copies a little of a large session is taken although the session is larger than the limit."""
    with asked(tmp_path, "[past]\ncheckpoints = idle\nlargest = 40M\n", {"GLASSBELL_TRACKING": way}) as server, \
            server.client() as client:
        if client.call("hello")["tracking"] != way:
            pytest.skip(f"this host's kernel has no {way}")
        client.send("image.warm", image="python").wait(240)
        session = Session(client)

        def cells():
            return [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]]

        wait_for(lambda: cells() == [0])
        session.exec("import os; x = os.urandom(60 << 20)")
        assert checkpoint(session)["pages"] > 15000
        session.exec("y = 1")
        if way == "userfaultfd":
            wait_for(lambda: cells()[-1] == 2)
        session.exec("y = 2")
        small = checkpoint(session)
        assert small["pages"] < 5000 and cells()[-1] == 3
        session.exec("del x")
        rewind(session, seq=small["seq"])
        assert out(session.exec("print(y, len(x) >> 20)")) == "2 60\n"
        session.close()


def set_budget(server, client, folder, megabytes):
    (folder / "a.conf").write_text(f"[admission]\nmemory = {megabytes}M\n[past]\ncheckpoints = asked\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: client.call("stats")["admission"]["memory_budget"] == megabytes << 20)


def test_a_copy_takes_no_more_memory_than_the_host_can_spare(tmp_path):
    """What a client asks for is not bounded by the setting for automatic ones, but by what is there."""
    with asked(tmp_path, "[admission]\nmemory = 400M\n") as server, server.client() as client:
        client.send("image.warm", image="python").wait(240)
        set_budget(server, client, tmp_path, 130)
        session = Session(client)
        assert checkpoint(session)["pages"] > 0
        session.exec("import os; x = os.urandom(80 << 20)")
        failed = refused("capacity", session, "session.checkpoint")
        assert "host can spare" in str(failed) and failed.retryable
        refused("capacity", session, steps=1)
        assert client.call("stats")["admission"]["memory_used"] < 130 << 20
        session.exec("del x")
        set_budget(server, client, tmp_path, 400)
        assert checkpoint(session)["pages"] > 0
        session.close()


def test_sessions_share_what_all_may_take(tmp_path):
    """One that takes many leaves room for others: its older ones go."""
    with asked(tmp_path, "[past]\ntotal = 24M\n") as server, server.client() as client:
        sessions = [Session(client) for _ in range(2)]
        for session in sessions:
            session.exec("import os")
            checkpoint(session)
        for session in sessions:
            for i in range(24):
                session.exec(f"i = {i}; x = os.urandom(1 << 20)")
                last = checkpoint(session)
            told = session.call("session.checkpoints")
            assert told["bytes"] <= 13 << 20 and len(told["checkpoints"]) < 24
            rewind(session, seq=last["seq"])
            assert out(session.exec("print(i, len(x))")) == f"23 {1 << 20}\n"
        for session in sessions:
            session.close()


def test_a_full_disk_takes_nothing_back(tmp_path):
    """A session goes back only if it can come here again; until then it is as it was. A fork of an earlier moment needs
    no room."""
    with small_disk(tmp_path, "24m"):
        with asked(tmp_path, "[journal]\nenabled = no\n") as server, server.client() as client:
            session = Session(client)
            session.exec("import os; x = 1")
            first = checkpoint(session)["seq"]
            # It must not run out of time, however busy the host is: then it would be taken back.
            assert session.exec("x = os.urandom(40 << 20)", timeout_ms=240000)["exit_code"] == 0
            for method, options in (("session.rewind", {"seq": first}), ("session.checkpoint", {}), ("session.fork", {})):
                assert not refused("disk_full", session, method, **options).dispatched
                assert session.get()["state"] == "idle"
                assert [one["seq"] for one in session.call("session.checkpoints")["checkpoints"]] == [first]
            (child,) = session.call("session.fork", seq=first)["sessions"]
            assert out(client.call("session.exec", session=child["session"], code="print(x)")) == "1\n"
            assert session.exec("len(x)")["value"] == f"{40 << 20}"
            session.close()


def test_off_is_off(tmp_path):
    with asked(tmp_path, "[past]\ncheckpoints = off\n") as server, server.client() as client:
        session = Session(client)
        session.exec("x = 1")
        assert "[past] checkpoints" in str(refused("no_past", session, "session.checkpoint"))
        refused("no_past", session, steps=1)
        assert session.call("session.checkpoints")["checkpoints"] == []
        session.close()
