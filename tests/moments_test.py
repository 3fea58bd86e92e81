# SPDX-License-Identifier: Apache-2.0
"""Sessions of which each cell has its moment, whatever comes how fast: those with `checkpoints` as `cell`."""

import contextlib
import signal

import pytest

import past
from support import Failure, Session, wait_for, with_settings

server, client = past.server, past.client  # the fixtures


@pytest.fixture
def opened(client):
    sessions = []

    def open_session(**options):
        sessions.append(Session(client, idle_ms=0, **{"checkpoints": "cell", **options}))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def send_all(session, *codes):
    """All at once: each waits for the one before."""
    requests = [session.send(code) for code in codes]
    return [request.wait() for request in requests]


def rewind(session, **options):
    return session.call("session.rewind", **options)


def cells_of(session):
    return [one["cell"] for one in session.call("session.checkpoints")["checkpoints"]]


def test_each_cell_of_a_queue_has_its_moment(opened):
    session = opened()
    told = send_all(session, "x = [1]; _ = open('f', 'w').write('1')", "x.append(2); _ = open('f', 'w').write('2')",
                    "x.append(3)", "x, open('f').read()")
    assert [one["cell"] for one in told] == [1, 2, 3, 4] and told[3]["value"] == "([1, 2, 3], '2')"
    wait_for(lambda: {0, 1, 2, 3} <= set(cells_of(session)), what="the last one, which is still being written")
    for cell, expected in ((2, "([1, 2], '2')"), (1, "([1], '1')"), (3, "([1, 2, 3], '2')")):
        assert rewind(session, cell=cell)["cell"] == cell
        assert session.exec("x, open('f').read()")["value"] == expected
    assert rewind(session, cell=0)["cell"] == 0
    assert session.exec("'x' in globals()")["value"] == "False"


def test_cells_are_taken_back_whatever_checkpoints_there_are(opened):
    session = opened()
    send_all(session, "x = [1]", "x.append(2)", "x.append(3)")
    session.call("session.checkpoint")
    session.write("f", b"written later")
    session.call("session.checkpoint", name="later")
    # The last cell, and with it what was written since; then forward to all of that.
    assert rewind(session, cells=1)["cell"] == 2
    assert "f" not in [one["name"] for one in session.call("file.list", path=".")["entries"]]
    assert rewind(session, cells=-1)["cell"] == 3
    assert session.read("f") == b"written later"
    # A cell of another branch counts as what it follows.
    assert rewind(session, cells=2)["cell"] == 1
    send_all(session, "x.append(4)", "x.append(5)")
    assert rewind(session, cells=1)["cell"] == 4
    assert session.exec("x")["value"] == "[1, 4]"
    assert rewind(session, cells=2)["cell"] == 1
    assert session.exec("x")["value"] == "[1]"
    assert rewind(session, cells=2)["cell"] == 0
    with pytest.raises(Failure) as caught:
        rewind(session, cells=1)
    assert caught.value.kind == "gone" and "only 0 cells" in str(caught.value)
    for wrong in ({"cells": 1, "steps": 1}, {"cells": 0}, {"cells": 1, "cell": 1}):
        with pytest.raises(Failure) as caught:
            rewind(session, **wrong)
        assert caught.value.kind == "invalid_input", caught.value.error


def test_what_is_written_between_two_cells_is_in_the_moment_between_them(opened):
    session = opened()
    for i in range(5):
        session.write("f", str(i).encode())
        session.exec(f"x = {i}")
    assert rewind(session, cells=1)["cell"] == 4
    assert session.read("f") == b"4" and session.exec("x")["value"] == "3"


def test_a_moment_that_was_not_kept_is_an_error_that_names_the_nearest(opened):
    session = opened(checkpoints="asked")
    session.exec("x = 1")
    session.call("session.checkpoint")
    send_all(session, "x = 2", "x = 3", "x = 4")
    with pytest.raises(Failure) as caught:
        rewind(session, cells=1)
    assert caught.value.kind == "gone"
    assert "no checkpoint of the moment after cell 3; the nearest one is that after cell 1" in str(caught.value)
    assert caught.value.error["data"]["nearest"]["cell"] == 1
    assert session.exec("x")["value"] == "4"  # nothing has happened
    assert rewind(session, cells=4)["cell"] == 1
    assert cells_of(session).count(3) == 0  # others pay for no moment that they have not asked for


def test_idle_is_on_no_cells_way(opened):
    session = opened(checkpoints="idle")
    send_all(session, "x = [1]", "x.append(2)", "x.append(3)")
    wait_for(lambda: 3 in cells_of(session))
    assert not {1, 2} & set(cells_of(session))  # it was not idle between them
    session.exec("x.append(4)")
    with pytest.raises(Failure) as caught:
        rewind(session, cells=2)
    assert caught.value.kind == "gone" and "`cell`" in str(caught.value)
    assert session.exec("x")["value"] == "[1, 2, 3, 4]"
    assert rewind(session, cells=2)["cell"] == 3


def test_undo_names_the_nearest_that_undoes_as_much(opened):
    session = opened(checkpoints="asked")
    session.exec("x = 1")
    session.call("session.checkpoint")
    send_all(session, "x = 2", "x = 3", "x = 4")
    session.call("session.checkpoint")
    with pytest.raises(Failure) as caught:
        rewind(session, cells=1)
    assert caught.value.error["data"]["nearest"]["cell"] == 1
    rewind(session, cell=1)
    send_all(session, "x = 5", "x = 6")
    with pytest.raises(Failure) as caught:
        rewind(session, cells=1)  # 4, which is of another branch, is as near
    assert caught.value.error["data"]["nearest"]["cell"] == 1


def test_the_settings_can_say_so_for_all(tmp_path):
    settings = "[server]\nlog_level = info\n[past]\ncheckpoints = "
    with with_settings(tmp_path, settings + "asked\n") as server, server.client() as client:
        session = Session(client, idle_ms=0)
        send_all(session, "x = [1]", "x.append(2)")
        assert cells_of(session) == []
        (tmp_path / "a.conf").write_text(settings + "cell\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "settings: read again" in server.log.read_text(), what="the reload")
        other = Session(client, idle_ms=0)
        session.exec("x.append(3)")
        for one in (session, other):
            last = send_all(one, "x = [4]", "x.append(5)", "x.append(6)")[-1]["cell"]
            wait_for(lambda one=one, last=last: {last - 2, last - 1, last} <= set(cells_of(one)))
            assert rewind(one, cells=2)["cell"] == last - 2
            assert one.exec("x")["value"] == "[4]"


def test_a_program_at_a_terminal_holds_up_no_cell(opened):
    """While it runs no checkpoint can be taken: the cells go on, and their moments are missing."""
    session = opened()
    session.exec("x = 1")
    number = session.call("session.terminal", args=["sh", "-c", "read x"])["terminal"]
    assert [one["cell"] for one in send_all(session, "x = 2", "x = 3")] == [2, 3]
    assert max(cells_of(session)) <= 1
    session.call("terminal.input", terminal=number, text="over\r")
    wait_for(lambda: not any(one["running"] for one in session.call("terminal.list")["terminals"]))
    with pytest.raises(Failure) as caught:
        rewind(session, cells=1)
    assert caught.value.kind == "gone" and "after cell 2" in str(caught.value)


def test_cells_that_wait_for_their_moment_can_be_interrupted(opened):
    session = opened()
    for _ in range(20):
        requests = [session.send(f"x = {i}") for i in range(3)]
        with contextlib.suppress(Failure):  # nothing runs any more
            session.call("session.interrupt")
        told = [request.wait() for request in requests]
        assert all(one.get("interrupted") or one["exit_code"] == 0 for one in told)
    assert session.exec("6 * 7")["value"] == "42"
