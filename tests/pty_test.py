# SPDX-License-Identifier: Apache-2.0
"""Programs at terminals, over the socket: what is typed, what is shown, sizes, ends, who types."""

import re

import pytest

from support import DEADLINE, Failure, Session, Watcher, data_of, out, wait_for


@pytest.fixture(scope="module")
def session(client):
    s = Session(client, idle_ms=0)
    yield s
    s.close()


@pytest.fixture
def other(server):
    with server.client() as client:
        client.call("hello", client="other/1")
        yield client


class Pty:
    """A terminal as one client sees it: text without the sequences between."""

    def __init__(self, client, session, *args, attach=None, rows=24, columns=80, watch=False, **params):
        self.client, self.session, self.seen, self.end = client, session, "", None
        self.taken = False
        if attach is None:
            self.number = client.call("session.terminal", session=session, args=list(args), rows=rows,
                                      columns=columns, **params)["terminal"]
        else:
            self.number = attach
            client.call("terminal.attach", session=session, terminal=attach, rows=rows, columns=columns, watch=watch)

    def call(self, method, **params):
        return self.client.call(f"terminal.{method}", session=self.session, terminal=self.number, **params)

    def type(self, text):
        return self.call("input", text=text)

    def _note(self):
        note = self.client.notes.get(timeout=DEADLINE)
        params = note["params"]
        if params.get("terminal") != self.number:
            return
        if note["method"] == "terminal.output":
            self.seen += re.sub(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[=>])", "", data_of(params).decode())
        elif note["method"] == "terminal.ended":
            self.end = params
        elif note["method"] == "terminal.taken":
            self.taken = True

    def until(self, text):
        while text not in self.seen:
            assert self.end is None, f"ended without {text!r}: {self.seen!r}"
            self._note()
        return self.seen

    def prompts(self, text):
        """Python has printed the text, and asks for more: what is typed before that is not read by its editor."""
        self.until(text)
        while not self.seen.endswith(">>> "):
            self._note()

    def ended(self):
        while self.end is None:
            self._note()
        return self.end


def listed(client, session, number):
    return next(t for t in client.call("terminal.list", session=session)["terminals"] if t["terminal"] == number)


def test_what_a_program_prints_and_how_it_ends(client, session):
    pty = Pty(client, session.id, "sh", "-c", "tty; echo hello; exit 3")
    assert (end := pty.ended())["exit_code"] == 3 and end["signal"] is None
    assert "/dev/pts/" in pty.seen and "hello" in pty.seen


@pytest.mark.parametrize("args, code", [(["/no/such/thing"], 127), (["/etc"], 126), (["sh", "-c", "exit 0"], 0)])
def test_exit_codes(client, session, args, code):
    assert Pty(client, session.id, *args).ended()["exit_code"] == code


def test_a_program_that_a_signal_ended(client, session):
    end = Pty(client, session.id, "sh", "-c", "kill -9 $$").ended()
    assert (end["exit_code"], end["signal"]) == (None, "SIGKILL")


def test_it_is_the_programs_terminal(client, session):
    """Its own session and foreground group, a size, UTF-8, colours; nothing of ours open in it."""
    pty = Pty(client, session.id, "python3", "-c",
              "import os,sys; fd=os.open('/dev/tty',os.O_RDWR); os.open(os.ttyname(0), os.O_RDWR)\n"
              "print(os.getsid(0)==os.getpid(), os.tcgetpgrp(fd)==os.getpgrp(), os.get_terminal_size(),\n"
              "os.environ['TERM'], sys.stdout.encoding, os.getuid(), os.getcwd())", rows=30, columns=132)
    assert "True True os.terminal_size(columns=132, lines=30) xterm-256color utf-8 1000 /home/user" in \
        (pty.ended(), pty.seen)[1]


def test_keys_signals_and_sizes(client, session):
    pty = Pty(client, session.id, "python3", "-q")
    pty.prompts("")
    pty.type("6*7\r")
    pty.prompts("42")
    pty.type("import time; print('n' + 'ow'); time.sleep(99)\r")
    pty.until("now")
    pty.type("\x03")
    pty.prompts("KeyboardInterrupt")
    pty.call("resize", rows=33, columns=111)
    pty.type("import os; print(tuple(os.get_terminal_size()))\r")
    pty.prompts("(111, 33)")
    pty.type("\x04")
    assert pty.ended()["exit_code"] == 0


def test_cells_run_beside_it_and_see_the_same_files(client, session):
    pty = Pty(client, session.id)
    pty.type("echo from-the-shell > note; echo writ''ten\r")
    pty.until("written")
    assert out(session.exec("print(open('note').read())")) == "from-the-shell\n\n"
    assert session.exec("import time; time.sleep(60)", timeout_ms=500)["timed_out"]
    pty.type("echo still-$((40+2))\r")
    pty.until("still-42")
    pty.type("exit\r")
    pty.ended()


def test_who_comes_back_sees_what_there_is(client, other, session):
    pty = Pty(other, session.id, "sh", "-c", "printf 'one\\ntwo\\n'; read answer; echo got $answer")
    pty.until("two")
    pty.call("detach")
    again = Pty(client, session.id, attach=pty.number)
    again.until("two")
    assert "one" in again.seen
    again.type("three\r")
    assert again.ended()["exit_code"] == 0 and "got three" in again.seen


def test_a_program_outlives_its_clients(server, client, session):
    with server.client() as leaving:
        number = Pty(leaving, session.id, "sh", "-c", "read x; echo $x; exit 7").number
    wait_for(lambda: listed(client, session.id, number)["clients"] == 0, what="the client to be gone")
    pty = Pty(client, session.id, attach=number)
    pty.type("here\r")
    assert pty.ended()["exit_code"] == 7
    late = Pty(client, session.id, attach=number)
    assert late.ended()["exit_code"] == 7 and "here" in late.seen
    assert listed(client, session.id, number)["exit_code"] == 7


def test_one_types_and_others_watch(client, other, session):
    pty = Pty(client, session.id, "sh", "-c", "while read x; do echo got-$x; done")
    watcher = Pty(other, session.id, attach=pty.number, watch=True, rows=10, columns=40)
    with pytest.raises(Failure) as caught:
        watcher.type("no\r")
    assert caught.value.kind == "held"
    pty.type("a\r")
    watcher.until("got-a")
    assert listed(client, session.id, pty.number)["rows"] == 24  # a watcher changes nothing
    taker = Pty(other, session.id, attach=pty.number, rows=20, columns=70)
    taker.type("b\r")
    pty.until("got-b")
    assert pty.taken and listed(client, session.id, pty.number)["rows"] == 20
    with pytest.raises(Failure) as caught:
        pty.type("no\r")
    assert caught.value.kind == "held"
    taker.call("close")
    assert taker.ended()["signal"] == "SIGHUP" and pty.ended()["signal"] == "SIGHUP"


def test_a_lease_holds_terminals_too(client, other, session):
    pty = Pty(client, session.id, "sh", "-c", "read x; echo got-$x")
    other.call("session.lease", session=session.id, action="take")
    for call in (lambda: pty.type("x\r"), lambda: Pty(client, session.id, "true"),
                 lambda: Pty(client, session.id, attach=pty.number), lambda: pty.call("close")):
        with pytest.raises(Failure) as caught:
            call()
        assert caught.value.kind == "held"
    Pty(client, session.id, attach=pty.number, watch=True)
    other.call("session.lease", session=session.id, action="release")
    pty = Pty(client, session.id, attach=pty.number)
    pty.type("x\r")
    pty.until("got-x")
    pty.ended()


def test_a_hang_up_ends_also_who_does_not_want_to(client, session):
    pty = Pty(client, session.id, "sh", "-c", "trap '' HUP; echo ready; while :; do sleep 1; done")
    pty.until("ready")
    pty.call("close")
    assert pty.ended()["signal"] == "SIGKILL"


def sleepers(session):
    """The arguments of all `sleep` in the VM."""
    return out(session.exec("import glob\n"
                            "for path in glob.glob('/proc/[0-9]*/cmdline'):\n"
                            "    try: words = open(path).read().split('\\0')\n"
                            "    except OSError: continue\n"
                            "    if words[0] == 'sleep': print(words[1])")).split()


def test_a_hang_up_ends_all_that_it_has_started(client, session):
    """Whoever has left its session and process group, and takes no notice of SIGHUP."""
    pty = Pty(client, session.id, "sh", "-c", "trap '' HUP; setsid sleep 8971 & echo ready; exec sleep 8972")
    pty.until("ready")
    wait_for(lambda: {"8971", "8972"} <= set(sleepers(session)), what="both to be there")
    pty.call("close")
    assert pty.ended()["signal"] == "SIGKILL"
    wait_for(lambda: not {"8971", "8972"} & set(sleepers(session)), what="the end of all of it")


def test_who_takes_no_notice_goes_on_behind_a_program_that_ended(client, session):
    pty = Pty(client, session.id, "sh", "-c", "trap '' HUP; sleep 8973 & exit 0")
    assert pty.ended()["exit_code"] == 0
    wait_for(lambda: "8973" in sleepers(session), what="the one that goes on")


def test_a_terminal_that_was_closed_and_opened_again(client, session):
    pty = Pty(client, session.id, "python3", "-c",
              "import os, sys\nfor fd in range(3): os.close(fd)\n"
              "terminal = open('/dev/tty', 'r+b', buffering=0)\nterminal.write(b'again')\n"
              "terminal.write(b'got ' + terminal.readline())")
    pty.until("again")
    pty.type("it\r")
    assert pty.ended()["exit_code"] == 0 and "got it" in pty.seen


@pytest.mark.parametrize("count", [10, 1000, 50000])
def test_the_last_that_was_printed_is_seen(client, session, count):
    pty = Pty(client, session.id, "seq", "1", str(count))
    assert pty.ended()["exit_code"] == 0 and str(count) in pty.seen and str(count - 1) in pty.seen


def test_watchers_and_the_session_tell_of_it(server, client, session):
    with Watcher(server, kinds=["terminal.opened", "terminal.changed", "terminal.closed"]) as watcher:
        before = session.get().get("terminals", 0)
        pty = Pty(client, session.id, "sh", "-c", "read x; exit 4")
        assert session.get()["terminals"] == before + 1
        pty.call("resize", rows=30, columns=90)
        pty.type("x\r")
        pty.ended()
        told = [e for e in watcher.until("terminal.closed") if e.get("info", {}).get("terminal") == pty.number]
    assert [e["kind"] for e in told] == ["terminal.opened", "terminal.changed", "terminal.closed"]
    assert told[0]["info"]["running"] and told[0]["info"]["args"] == ["sh", "-c", "read x; exit 4"]
    assert told[1]["info"]["rows"] == 30 and told[2]["info"]["exit_code"] == 4 and not told[2]["info"]["running"]


def test_a_flood_harms_nobody(client, other, session):
    """A client that reads nothing holds neither the program nor the server nor other cells."""
    pty = Pty(other, session.id, "sh", "-c", "seq 1 2000000; echo the-end; read x")
    assert out(session.exec("print('meanwhile')")) == "meanwhile\n"
    watcher = Pty(client, session.id, attach=pty.number, watch=True)
    watcher.until("the-end")
    pty.call("close")


def test_costly_output_holds_up_nobody(client, other, session):
    """Six bytes of it change every cell of the largest grid; meanwhile requests are answered, again and again."""
    pty = Pty(client, session.id, "python3", "-c",
              r"print('begin', flush=True); input(); print('\x1b[999S' * 100 + '\x1b[Hthe-end')", rows=500, columns=500)
    pty.until("begin")
    pty.type("go\n")
    answered = 0
    while "the-end" not in pty.seen:
        other.call("session.list")
        answered += 1
        while not client.notes.empty():
            pty._note()
    assert answered >= 20
    assert pty.ended()["exit_code"] == 0


def test_what_a_program_sends_a_terminal_stays_there(client, session):
    pty = Pty(client, session.id, "python3", "-c",
              r"print('\x1b]52;c;c2VjcmV0\x07\x1b]0;title\x07plain\x1bP1;2q#0~\x1b\\')", rows=5)
    pty.ended()
    assert "plain" in pty.seen and not any(text in pty.seen for text in ("c2VjcmV0", "title", "\x1b"))


def test_the_end_of_the_session_is_told(client):
    s = Session(client)
    pty = Pty(client, s.id, "sh", "-c", "echo up; sleep 99")
    pty.until("up")
    s.close()
    assert "closed" in pty.ended()["message"]


def test_a_terminal_keeps_its_session(client):
    """It is a use of the session, as a cell is; when it has ended, the idle time counts."""
    s = Session(client, idle_ms=1500)
    pty = Pty(client, s.id, "sh", "-c", "sleep 4; echo slept")
    assert pty.ended()["exit_code"] == 0
    wait_for(lambda: not client.call("session.list")["sessions"] or
             s.id not in [x["session"] for x in client.call("session.list")["sessions"]], what="the end of the session")


def test_what_is_refused(client, session):
    for params in ({"rows": 0}, {"columns": 501}, {"args": ["a\0b"]}, {"args": [""]}, {"env": {"LD_PRELOAD": "x"}}):
        with pytest.raises(Failure) as caught:
            client.call("session.terminal", session=session.id, **params)
        assert caught.value.kind in ("invalid_input", "policy")
    with pytest.raises(Failure) as caught:
        client.call("terminal.attach", session=session.id, terminal=9999)
    assert caught.value.kind == "not_found"


def test_no_more_than_the_limit(client, session):
    ptys = []
    with pytest.raises(Failure) as caught:
        for _ in range(17):
            ptys.append(Pty(client, session.id, "sh", "-c", "read x"))
    assert caught.value.kind == "busy" and len(ptys) == 16
    for pty in ptys:
        pty.call("close")
        pty.ended()
