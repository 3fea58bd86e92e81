# SPDX-License-Identifier: Apache-2.0
"""Connections about which a rule says to ask: they wait, somebody answers, and all of it is told."""

import json
import subprocess

import pytest

from support import BINARY, Failure, Server, Session, Watcher, err, out

TRY = """
import errno, socket
def connect(host, port, seconds=60):
    try:
        with socket.create_connection((host, port), seconds) as s:
            return s.recv(5)
    except TimeoutError:
        return "given up"
    except OSError as e:
        return errno.errorcode.get(e.errno, repr(e))
"""
KINDS = ["network.question", "network.answered"]


RULES = {"rules": ["deny never.test", "ask * private tcp", "resolve app.test 127.0.0.1"]}


@pytest.fixture
def asked(fresh):
    return fresh(network=RULES)


def watching(server, session, **more):
    return Watcher(server, sessions=[session.id], kinds=KINDS, answers=True, **more)


def question(watcher):
    return watcher.until("network.question")[-1]


def answer(client, session, number, word):
    client.call("session.network_answer", session=session.id, question=number, answer=word)


def result(client, request):
    cell = request.wait()
    assert cell["exit_code"] == 0, err(cell)
    return eval(out(cell)), cell


def records(client, session):
    page = client.call("session.network_log", session=session.id, limit=1000)
    return [(one["kind"], one["name"] or one["address"], one.get("port"), one["reason"], one["client"])
            for one in page["records"] if one["kind"] not in ("policy", "end")]


def send(client, session, *expressions):
    return client.send("session.exec", session=session.id, code=TRY + f"print([{', '.join(expressions)}])",
                       timeout_ms=120000)


def test_an_answer_decides_once(server, client, asked, port):
    connect = f"connect('app.test', {port})"
    with watching(server, asked) as watcher, server.client() as alice:
        alice.call("hello", client="alice")
        request = send(client, asked, connect, connect)
        first = question(watcher)
        info = first["info"]
        assert (info["name"], info["address"], info["port"], info["cell"]) == ("app.test", None, port, 1)
        shown = client.call("session.network", session=asked.id)["questions"]
        assert [one["question"] for one in shown] == [first["question"]] and shown[0]["connections"] == 1
        assert shown[0]["until"] > shown[0]["at"]
        answer(alice, asked, first["question"], "once")
        told = watcher.until("network.answered")[-1]
        assert (told["question"], told["answer"], told["client"]) == (first["question"], "once", "alice")
        second = question(watcher)
        assert second["question"] > first["question"]
        answer(alice, asked, second["question"], "refuse")
        got, cell = result(client, request)
    assert got == [b"hello", "EHOSTUNREACH"]
    assert cell["note"] == f"network: app.test:{port} was refused by a person: do not try it again"
    assert cell["network_refused"] == [f"app.test:{port} (answered_no)"]
    assert [one for one in records(client, asked) if one[0] != "connection"] == [
        ("answer", "app.test", port, "once", "alice"), ("answer", "app.test", port, "refuse", "alice"),
        ("denied", "app.test", port, "answered_no", None)]


def test_an_answer_for_the_session_is_a_rule(server, client, asked, port):
    connect = f"connect('app.test', {port})"
    with watching(server, asked) as watcher:
        request = send(client, asked, connect, connect, "connect('10.9.8.7', 99)", "connect('10.9.8.7', 99)")
        answer(client, asked, question(watcher)["question"], "session")
        literal = question(watcher)
        assert literal["info"]["name"] is None and literal["info"]["address"] == "10.9.8.7"
        answer(client, asked, literal["question"], "never")
        got, _ = result(client, request)
    assert got == [b"hello", b"hello", "EHOSTUNREACH", "EHOSTUNREACH"]
    shown = client.call("session.network", session=asked.id)
    assert shown["rules"].splitlines()[:2] == ["deny ip 10.9.8.7/32 :99", f"allow app.test :{port} tcp private"]
    assert shown["questions"] == []
    assert [event["kind"] for event in watcher.seen].count("network.question") == 2


def test_a_network_that_goes_tells_whoever_waits(server, client, asked, port):
    """And does not leave a program waiting for the answer of a machine to which no route leads any more."""
    with watching(server, asked) as watcher:
        for _ in range(2):
            request = send(client, asked, f"connect('10.9.8.7', {port})")
            question(watcher)
            client.call("session.network", session=asked.id, network="none")
            assert watcher.until("network.answered")[-1]["answer"] == "rules"
            assert result(client, request)[0] == ["EHOSTUNREACH"]
            client.call("session.network", session=asked.id, network=RULES)


def test_what_a_rule_decides_is_not_asked(server, client, asked, port):
    with watching(server, asked) as watcher:
        got, _ = result(client, send(client, asked, "connect('never.test', 80)"))
        assert "gaierror" in got[0]
        client.call("session.network", session=asked.id, rules=[f"allow app.test :{port} tcp private"])
        assert result(client, send(client, asked, f"connect('app.test', {port})"))[0] == [b"hello"]
    assert not any(event["kind"] == "network.question" for event in watcher.seen)


def test_connections_to_one_target_are_one_question(server, client, asked, port):
    code = TRY + f"""
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(5) as pool:
    print(sorted(pool.map(lambda _: connect('app.test', {port}), range(5))))
"""
    with watching(server, asked) as watcher:
        request = client.send("session.exec", session=asked.id, code=code, timeout_ms=120000)
        number = question(watcher)["question"]
        while client.call("session.network", session=asked.id)["questions"][0]["connections"] < 5:
            pass
        answer(client, asked, number, "once")
        assert result(client, request)[0] == [b"hello"] * 5
        assert [event["kind"] for event in watcher.seen].count("network.question") == 1


def test_without_anybody_to_ask_it_is_refused(client, server, asked, port):
    with Watcher(server, sessions=[asked.id], kinds=KINDS):  # sees, and has not said that it answers
        got, cell = result(client, send(client, asked, f"connect('app.test', {port})"))
    assert got == ["EHOSTUNREACH"]
    assert cell["note"].startswith(f"network: app.test:{port} needs a person's permission, and nobody was there")
    history = client.call("session.history", session=asked.id)["cells"][-1]
    assert history["note"] == cell["note"]
    assert records(client, asked) == [("denied", "app.test", port, "nobody_to_ask", None)]


def test_when_the_last_watcher_goes_it_is_refused(client, server, asked, port):
    with watching(server, asked) as watcher:
        request = send(client, asked, f"connect('app.test', {port})")
        question(watcher)
    got, cell = result(client, request)
    assert got == ["EHOSTUNREACH"] and "nobody was there" in cell["note"]
    assert records(client, asked) == [("answer", "app.test", port, "nobody", None),
                                      ("denied", "app.test", port, "nobody_to_ask", None)]


def test_without_an_answer_in_time_it_is_refused(port, tmp_path):
    config = tmp_path / "settings"
    config.write_text("[sessions]\nquestion = 1s\n")
    with Server("--config", str(config)) as server, server.client() as client:
        session = Session(client, "python", network=RULES)
        with watching(server, session) as watcher:
            request = send(client, session, f"connect('app.test', {port})")
            number = question(watcher)["question"]
            got, cell = result(client, request)
            assert got == ["EHOSTUNREACH"] and "nobody answered in time" in cell["note"]
            assert watcher.until("network.answered")[-1]["answer"] == "timed_out"
            with pytest.raises(Failure) as caught:
                answer(client, session, number, "once")
            assert caught.value.kind == "not_found"


def test_new_rules_answer_what_waits(client, server, asked, port):
    with watching(server, asked) as watcher:
        request = send(client, asked, f"connect('app.test', {port})", "connect('other.test', 80)")
        question(watcher)
        client.call("session.network", session=asked.id, rules=[f"allow app.test :{port} tcp private"])
        assert watcher.until("network.answered")[-1]["answer"] == "rules"
        question(watcher)
        client.call("session.network", session=asked.id, rules=["deny *"])
        assert result(client, request)[0] == [b"hello", "EHOSTUNREACH"]


def test_an_answer_after_the_program_gave_up(client, server, asked, port):
    with watching(server, asked) as watcher:
        request = send(client, asked, f"connect('app.test', {port}, 1)")
        number = question(watcher)["question"]
        assert result(client, request)[0] == ["given up"]
        answer(client, asked, number, "session")
        assert result(client, send(client, asked, f"connect('app.test', {port})"))[0] == [b"hello"]
    assert client.call("session.network", session=asked.id)["questions"] == []


def test_a_session_that_ends_ends_its_questions(client, server, asked):
    with watching(server, asked) as watcher:
        client.send("session.exec", session=asked.id, code=TRY + "connect('app.test', 81)")
        question(watcher)
        asked.close()
        assert watcher.until("network.answered")[-1]["answer"] == "session_ended"


def test_questions_are_bounded(client, server, asked):
    code = TRY + """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(20) as pool:
    print(sorted(pool.map(lambda i: connect(f'10.0.0.{i}', 81), range(20))))
"""
    with watching(server, asked) as watcher:
        request = client.send("session.exec", session=asked.id, code=code, timeout_ms=120000)
        for _ in range(16):
            question(watcher)
        with server.client() as other:
            while other.call("session.network", session=asked.id)["denied"] < 4:
                pass
            assert len(other.call("session.network", session=asked.id)["questions"]) == 16
            other.call("session.network", session=asked.id, rules=["deny *"])
        got, cell = result(client, request)
    assert got == ["EHOSTUNREACH"] * 20
    reasons = [one[3] for one in records(client, asked) if one[0] == "denied"]
    assert reasons.count("too_many_questions") == 4 and reasons.count("no_rule") == 16
    assert "too many others have been asked for" in cell["note"] and len(cell["note"].encode()) <= 1024


def test_a_snapshot_has_the_questions(client, server, asked):
    with watching(server, asked) as watcher:
        client.send("session.exec", session=asked.id, code=TRY + "connect('app.test', 81)")
        number = question(watcher)["question"]
        with Watcher(server, sessions=[asked.id]) as other:
            questions = other.next()["questions"]
        assert [(one["session"], one["question"], one["name"], one["port"]) for one in questions] == [
            (asked.id, number, "app.test", 81)]
        answer(client, asked, number, "refuse")


@pytest.mark.parametrize("params, kind", [({"question": 7, "answer": "once"}, "not_found"),
                                          ({"question": 1, "answer": "maybe"}, "invalid_input"),
                                          ({"question": 0, "answer": "once"}, "invalid_input"),
                                          ({"answer": "once"}, "invalid_input"),
                                          ({"question": 1}, "invalid_input")], ids=str)
def test_answers_to_nothing(client, asked, params, kind):
    with pytest.raises(Failure) as caught:
        client.call("session.network_answer", session=asked.id, **params)
    assert caught.value.kind == kind


def test_from_the_command_line(client, server, asked, port):
    def glassbell(*words, status=0):
        done = subprocess.run([BINARY, "network", "--socket", server.socket, asked.id, *map(str, words)],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    follower = subprocess.Popen([BINARY, "network", "--follow", "--socket", server.socket, asked.id],
                                stdout=subprocess.PIPE, text=True)
    assert follower.stdout.readline().startswith("# ")
    connect = f"connect('app.test', {port})"
    request = send(client, asked, connect, connect, connect)
    assert follower.stdout.readline() == f"? [1] app.test:{port}\n"
    assert f"# ? [1] app.test:{port}\n" in glassbell()
    assert "there is no question about" in glassbell("allow", "other.test", f":{port}", "--once", status=125)
    glassbell("allow", "app.test", f":{port}", "--once")
    assert follower.stdout.readline() == f"? [1] app.test:{port} once\n"
    assert follower.stdout.readline() == f"? [1] app.test:{port}\n"
    assert f"allow app.test :{port} tcp private\n" in glassbell("allow", "app.test", f":{port}")
    assert result(client, request)[0] == [b"hello"] * 3
    follower.terminate()
    follower.wait()
    follower.stdout.close()
    assert json.loads(glassbell("--json"))["questions"] == []


def test_a_rule_to_ask_answers_nothing(server, client, asked, port):
    """Given at the very time when somebody would type it: while a connection to that place waits."""
    with watching(server, asked) as watcher:
        request = send(client, asked, f"connect('app.test', {port})")
        number = question(watcher)["question"]
        done = subprocess.run([BINARY, "network", "--socket", server.socket, asked.id, "ask", "app.test", f":{port}"],
                              env=server.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert [one["question"] for one in client.call("session.network", session=asked.id)["questions"]] == [number]
        assert "deny app.test" not in client.call("session.network", session=asked.id)["rules"]
        answer(client, asked, number, "never")
        assert result(client, request)[0] == ["EHOSTUNREACH"]
    page = client.call("session.network_log", session=asked.id, limit=1000)["records"]
    kinds = [one["kind"] for one in page]
    assert kinds.index("answer") < len(kinds) - 1 - kinds[::-1].index("policy"), kinds  # the rule that it made


def test_always_is_written_into_the_settings(tmp_path, port):
    config = tmp_path / "a.conf"
    text = ("# mine\n[network \"builds\"]\n# all else is asked\nask * private tcp  # really\nresolve app.test 127.0.0.1\n"
            "\n[sessions]\nquestion = 90s\n")
    config.write_text(text)
    with Server("--config", str(config)) as server, server.client() as client:
        session = Session(client, network="builds")
        with watching(server, session) as watcher:
            request = send(client, session, f"connect('app.test', {port})")
            number = question(watcher)["question"]
            answer(client, session, number, "always")
            assert watcher.until("network.answered")[-1]["answer"] == "always"
            assert result(client, request)[0] == [b"hello"]
        rule = f"allow app.test :{port} tcp private\n"
        assert config.read_text() == text.replace("# all else", f"{rule}# all else")
        assert client.call("session.network", session=session.id)["rules"].startswith(rule)
        other = Session(client, network="builds")  # opened later: nobody is asked
        assert result(client, send(client, other, f"connect('app.test', {port})"))[0] == [b"hello"]
        # Without a place for it the answer fails, and the question still waits.
        inline = Session(client, network=RULES)
        with watching(server, inline) as watcher:
            request = send(client, inline, f"connect('app.test', {port})")
            number = question(watcher)["question"]
            with pytest.raises(Failure) as caught:
                answer(client, inline, number, "always")
            assert caught.value.kind == "invalid_input" and "[network" in str(caught.value)
            config.write_text("[network \"builds\"]\nask *\nnonsense = [\n[oops]\n")
            with watching(server, other) as watcher:
                second = send(client, other, "connect('10.9.8.7', 99, 1)")
                wrong = question(watcher)["question"]
                with pytest.raises(Failure) as caught:
                    answer(client, other, wrong, "always")
                assert caught.value.kind == "invalid_input" and "oops" in str(caught.value)
                assert config.read_text().endswith("[oops]\n")
                answer(client, other, wrong, "refuse")
                assert result(client, second)[0] == ["EHOSTUNREACH"]
            answer(client, inline, number, "once")
            assert result(client, request)[0] == [b"hello"]
        for one in (session, other, inline):
            one.close()


def test_always_widens_no_policy_that_the_session_was_not_given(tmp_path, port):
    """Rules that are given as a whole are shown as "rules", which is also the name of a policy here."""
    config = tmp_path / "a.conf"
    text = "[network \"rules\"]\nresolve app.test 127.0.0.1\n"
    config.write_text(text)
    with Server("--config", str(config)) as server, server.client() as client:
        given, changed = Session(client, network=RULES), Session(client, network="rules")
        client.call("session.network", session=changed.id, network=RULES)
        for session in given, changed:
            with watching(server, session) as watcher:
                request = send(client, session, f"connect('app.test', {port})")
                number = question(watcher)["question"]
                with pytest.raises(Failure) as caught:
                    answer(client, session, number, "always")
                assert caught.value.kind == "invalid_input"
                answer(client, session, number, "once")
                assert result(client, request)[0] == [b"hello"]
            session.close()
    assert config.read_text() == text


def test_always_after_another_server_has_taken_it_up(tmp_path, port):
    config = tmp_path / "a.conf"
    config.write_text('[network "builds"]\nask * private tcp\nresolve app.test 127.0.0.1\n')
    with Server("--config", str(config), folder=str(tmp_path)) as server, server.client() as client:
        session = Session(client, idle_ms=0, network="builds")
        client.call("session.network", session=session.id, rules=["deny b.test"])  # now it is called `rules`
        session.call("session.sleep")
    with Server("--config", str(config), folder=str(tmp_path)) as server, server.client() as client:
        session.client = client
        with watching(server, session) as watcher:
            request = send(client, session, f"connect('app.test', {port})")
            answer(client, session, question(watcher)["question"], "always")
            assert result(client, request)[0] == [b"hello"]
        assert f"allow app.test :{port} tcp private\n" in config.read_text()
        session.close()


def test_always_by_the_verb(tmp_path, port):
    config = tmp_path / "a.conf"
    config.write_text("[network \"builds\"]\nask * private tcp\nresolve app.test 127.0.0.1\n")
    with Server("--config", str(config)) as server, server.client() as client:
        session = Session(client, network="builds")
        with watching(server, session) as watcher:
            request = send(client, session, f"connect('app.test', {port})")
            question(watcher)
            subprocess.run([BINARY, "network", session.id, "allow", "app.test", f":{port}", "--always"], env=server.env,
                           check=True, capture_output=True)
            assert result(client, request)[0] == [b"hello"]
        assert f"allow app.test :{port} tcp private\n" in config.read_text()
        wrong = subprocess.run([BINARY, "network", session.id, "deny", "app.test", ":1", "--always"], env=server.env,
                               capture_output=True, text=True)
        assert wrong.returncode != 0 and "--always needs a rule that allows" in wrong.stderr
        session.close()
