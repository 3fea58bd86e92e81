# SPDX-License-Identifier: Apache-2.0
"""The program as people use it: verbs with a real server and real guests, the prompt in a real terminal."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from support import BINARY, DEADLINE, Server, end_tmux, wait_for


class Cli:
    """Runs the program against one server."""

    def __init__(self, socket, **env):
        self.env = dict(os.environ, GLASSBELL_SOCKET=str(socket), NO_COLOR="1", **env)

    def start(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([BINARY, *map(str, arguments)], env=self.env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def __call__(self, *arguments, input=b"", status=0, **options):
        done = subprocess.run([BINARY, *map(str, arguments)], env=self.env, input=input,
                              capture_output=True, timeout=DEADLINE, **options)
        assert b"AddressSanitizer" not in done.stderr and b"runtime error" not in done.stderr
        if status is not None:
            assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr)
        return done

    def out(self, *arguments, **options):
        return self(*arguments, **options).stdout.decode()


@pytest.fixture(scope="module")
def cli(server):
    return Cli(server.socket)


@pytest.fixture
def work(cli):
    """The label of a Python session."""
    label = "work-" + os.urandom(4).hex()
    cli("open", "--label", label, "--idle", 0)
    yield label
    cli("close", label, status=None)


# ---- wrong use ----


@pytest.mark.parametrize("arguments, said", [
    ([], b"usage: glassbell VERB"),
    (["ru"], b"did you mean `glassbell run`"),
    (["interrup"], b"did you mean `glassbell interrupt`"),
    (["exprot"], b"did you mean `glassbell export`"),
    (["foo"], b"there is no verb foo; `glassbell help` lists them"),
    (["ps"], b"`glassbell ls`"), (["help", "logs"], b"`glassbell log`"), (["rm"], b"`glassbell close`"),
    (["stop"], b"`glassbell interrupt`"), (["cp"], b"`glassbell put`"), (["images"], b"`glassbell image ls`"),
    (["kill"], b"`glassbell close`"), (["stats"], b"`glassbell top`"), (["status"], b"`glassbell top`"),
    (["bash"], b"`glassbell shell`"), (["shell"], b"which session?"),
    (["--them", "light"], b"did you mean --theme"),
    (["frobnicate"], b"`glassbell help` lists them"),
    (["run"], b"there is nothing to run"),
    (["run", "--lnag", "py"], b"did you mean --lang"),
    (["run", "-c", "1", "-t", "soon"], b"-t wants seconds"),
    (["run", "-c", "1", "-l", "cobol"], b"no language cobol"),
    (["run", "-c", "1", "-m", "lots"], b"-m wants a number"),
    (["run", "-c", "1", "-e", "X"], b"-e wants NAME=VALUE"),
    (["run", "-c", "1", "-c", "2", "--stdin"], b"--stdin goes to one program"),
    (["run", "/nonexistent.py"], b"nonexistent.py"),
    (["exec"], b"which session?"),
    (["close"], b"which session?"),
    (["put", "x"], b"put wants"),
    (["completion", "csh"], b"bash, zsh and fish"),
])
def test_wrong_use(cli, arguments, said):
    done = cli(*arguments, status=2)
    assert said in done.stderr and done.stdout == b""


def test_help_of_every_verb(cli):
    verbs = [line.split()[0] for line in cli.out("help").split("\n\n")[2].splitlines()]
    assert {"run", "repl", "serve", "doctor"} <= set(verbs)
    for verb in verbs:
        text = cli.out(verb, "--help")
        assert text.startswith(f"glassbell {verb}: ") and len(text.splitlines()) <= 40
        assert cli.out("help", verb) == text
    assert cli.out("--version").startswith("glassbell ")


@pytest.mark.parametrize("network, said", [("full", b"full"), ("allow", b"allow"), ("allow a b c :99999", b"99999")])
def test_a_network_that_there_is_not(cli, network, said):
    done = cli("run", "-c", "1", "--net", network, status=125)
    assert said in done.stderr and b"invalid_input" in done.stderr


def test_no_server(tmp_path):
    done = Cli(tmp_path / "sock")("ls", "--no-autostart", status=125)
    assert b"no server listens" in done.stderr and b"not_found" in done.stderr


# ---- run ----


def test_output_is_byte_exact(cli):
    done = cli("run", "-c", "import sys, os\n"
               "os.write(1, bytes(range(256)) * 300); os.write(2, b'\\xff\\0err')\nsys.exit(3)",
               status=3)
    assert done.stdout == bytes(range(256)) * 300
    assert done.stderr == b"\xff\0err"


def test_statuses(cli):
    assert b"Traceback" in cli("run", "-c", "1/0", status=1).stderr
    cli("run", "-c", "import os; os.kill(os.getpid(), 9)", status=137)
    done = cli("run", "-t", "0.5", "-c", "while True: pass", status=124)
    assert b"time is up" in done.stderr


def test_languages_and_sources(cli, tmp_path):
    script = tmp_path / "a.sh"
    script.write_text("echo from $0-less shell; exit 4\n")
    assert b"shell" in cli("run", script, status=4).stdout
    assert cli.out("run", "-l", "js", "-", input=b"console.log(6 * 7)") == "42\n"
    assert cli.out("run", "-e", "WHO=you", "-c", "import os; print(os.environ['WHO'])") == "you\n"


def test_several_sources_in_order(cli):
    done = cli("run", "-c", "import time; time.sleep(1); print('one')", "-c", "print('two')",
               "-c", "import sys; print('three'); sys.exit(7)", status=7)
    assert done.stdout == b"one\ntwo\nthree\n"


def test_json(cli):
    cell = json.loads(cli.out("run", "--json", "-c", "print('x'); 5"))
    assert cell["stdout"] == "x\n" and cell["value"] == "5" and cell["exit_code"] == 0
    cells = json.loads(cli("run", "--json", "-c", "1", "-c", "1/0", status=1).stdout)
    assert [cell["exit_code"] for cell in cells] == [0, 1]


def test_streams_and_forwards_stdin(cli):
    """The answer to what was printed goes in while the program runs: so it came out at once."""
    process = cli.start("run", "--stdin", "-c",
                        "print('name?', flush=True)\nprint('hello', input())\n"
                        "import sys; print(len(sys.stdin.read()))", stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"name?\n"
    process.stdin.write(b"you\n" + b"x" * 300000)
    process.stdin.close()
    assert process.stdout.read() == b"hello you\n300000\n"
    assert process.wait(DEADLINE) == 0


def test_stdin_waits_for_its_own_cell(cli, work):
    """It goes to the cell that it was given for, also when that has to wait for another one that reads."""
    first = cli.start("exec", work, "--stdin", "-c", "print('begun', flush=True)\nprint('first', input())",
                      stdin=subprocess.PIPE)
    assert first.stdout.readline() == b"begun\n"
    second = cli.start("exec", work, "--stdin", "--json", "-c", "print('second', input())", stdin=subprocess.PIPE)
    second.stdin.write(b"two\n")
    second.stdin.close()
    first.stdin.write(b"one\n")
    first.stdin.close()
    assert first.stdout.read() == b"first one\n"
    assert json.loads(second.stdout.read())["stdout"] == "second two\n"
    assert first.wait(DEADLINE) == 0 and second.wait(DEADLINE) == 0


def test_much_stdin_that_is_read_slowly(cli):
    """More than the guest keeps: the sender waits, and everything arrives. (A pipe of 64 KiB that was filled in
    pieces may be full with a few bytes less.)"""
    data = os.urandom(3 << 20)
    code = ("import sys, hashlib, fcntl, struct, termios, time\n"
            "while struct.unpack('i', fcntl.ioctl(0, termios.FIONREAD, b'0000'))[0] < 60000: time.sleep(0.01)\n"
            "print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())")
    done = cli("run", "--stdin", "-c", code, input=data)
    assert done.stdout.decode().strip() == hashlib.sha256(data).hexdigest()


def test_interrupt(cli):
    process = cli.start("run", "-c", "print('ready', flush=True)\nimport time; time.sleep(600)")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130 and b"KeyboardInterrupt" in said


def test_second_interrupt_ends_it(cli):
    process = cli.start("run", "-c", "import os, signal; signal.signal(2, lambda *_: os.write(1, b'no\\n'))\n"
                        "print('ready', flush=True)\nwhile True: pass")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"no\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 130
    process.communicate()


def test_reader_that_goes_away(cli, client):
    process = cli.start("run", "-c", "while True: print('y' * 100)")
    assert process.stdout.readline() == b"y" * 100 + b"\n"
    process.stdout.close()
    assert process.wait(DEADLINE) == -signal.SIGPIPE
    wait_for(lambda: not [s for s in client.call("session.list")["sessions"]
                          if s["label"] == "run"], what="the end of the VM")


def test_results_longer_than_a_request_may_be(cli):
    done = cli("run", "--max-output", "48", "-c", "print('x' * (40 << 20))", "--json")
    assert len(json.loads(done.stdout)["stdout"]) == (40 << 20) + 1


def test_slow_reader_gets_everything(cli):
    process = cli.start("run", "-c", "import os\nfor i in range(80): os.write(1, bytes([i]) * 100000)")
    digest = hashlib.sha256()
    while piece := process.stdout.read1(4096):
        digest.update(piece)
    expected = hashlib.sha256(b"".join(bytes([i]) * 100000 for i in range(80)))
    assert process.wait(DEADLINE) == 0, process.stderr.read()
    assert digest.digest() == expected.digest()


def test_files_in_and_out(cli, tmp_path):
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/a").write_bytes(b"1")
    (tmp_path / "tree/deep/b").write_bytes(b"22")
    (tmp_path / "empty").write_bytes(b"")
    cli("run", "--upload", f"{tmp_path}/tree:in", "--upload", tmp_path / "empty",
        "--download", f"out:{tmp_path}/result", "-c",
        "import os\nopen('out', 'w').write(repr([os.path.getsize(p) for p in "
        "('in/a', 'in/deep/b', 'empty')]))")
    assert (tmp_path / "result").read_text() == "[1, 2, 0]"
    done = cli("run", "--download", f"nothing:{tmp_path}/none", "-c", "1", status=125)
    assert b"nothing" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "result", "tree"]


# ---- sessions ----


def test_sessions(cli, work):
    session = json.loads(cli.out("ls", "--json"))
    session = next(s for s in session if s["label"] == work)
    cli("exec", work, "-c", "x = 41")
    assert cli.out("exec", session["session"][:14], "-c", "print(x + 1)") == "42\n"
    assert cli.out("exec", work, "-c", "x += 1", "-c", "print(x)") == "42\n"
    heading, *rows = cli.out("ls").splitlines()
    row = next(row for row in rows if work in row)
    assert row.index(work) == heading.index("NAME")  # also behind an id that is cut
    assert work in cli.out("ls", "--ids").split()
    cli("exec", work, "-c", "import sys; sys.exit(9)", status=9)
    done = cli("exec", "nobody", "-c", "1", status=125)
    assert b"there is no session nobody" in done.stderr
    cli("close", work)
    assert work not in cli.out("ls", "--ids").split()


def test_closed_streams(cli, work):
    """What we open ourselves does not take the place of a stream that is not there."""
    def run(streams):
        return subprocess.run(["sh", "-c", f'exec "$@" {streams}', "sh", BINARY, "exec", work, "-c", "print(6 * 7)"],
                              env=cli.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)

    done = run("<&-")
    assert (done.returncode, done.stdout) == (0, b"42\n"), done.stderr
    done = run("2>&-")
    assert (done.returncode, done.stdout) == (0, b"42\n")
    done = run(">&-")
    assert done.returncode == 125 and b"cannot write" in done.stderr
    assert run("<&- >&- 2>&-").returncode == 125


def test_open_by_key(cli):
    key = "key-" + os.urandom(4).hex()
    first = cli.out("open", "--key", key)
    assert cli.out("open", "--key", key) == first
    assert json.loads(cli.out("open", "--key", key, "--json"))["created"] is False
    cli("close", key)


def test_interrupt_of_another_client(cli, work):
    process = cli.start("exec", work, "-c", "print('ready', flush=True)\nimport time; time.sleep(600)")
    assert process.stdout.readline() == b"ready\n"
    cli("interrupt", work)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 130


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (3 << 20) + 17])
def test_put_and_get(cli, work, tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "up").write_bytes(content)
    (tmp_path / "up").chmod(0o755)
    cli("put", work, tmp_path / "up", "deep/file")
    cli("get", work, "deep/file", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == content
    assert "0o755" in cli.out("exec", work, "-c",
                              "import os; print(oct(os.stat('deep/file').st_mode & 0o777))")
    cli("get", work, "deep/file", tmp_path)  # into the folder
    assert (tmp_path / "file").read_bytes() == content


def test_get_leaves_nothing_behind(cli, work, tmp_path):
    done = cli("get", work, "nothing", tmp_path / "x", status=125)
    assert b"nothing" in done.stderr and list(tmp_path.iterdir()) == []
    assert b"policy" in cli("get", work, "../../etc/passwd", tmp_path / "x", status=125).stderr


def test_get_of_a_folder(cli, work, tmp_path):
    (tmp_path / "up" / "deep" / "empty").mkdir(parents=True)
    (tmp_path / "up" / "a.txt").write_text("a")
    (tmp_path / "up" / "deep" / "ä").write_bytes(bytes(range(256)))
    cli("put", work, tmp_path / "up", "tree")
    cli("exec", work, "-c", "import os; os.makedirs('tree/empty'); os.symlink('/etc/passwd', 'tree/link')")
    done = cli("get", work, "tree", tmp_path / "down")
    assert b"1 symbolic link " in done.stderr
    assert sorted(str(p.relative_to(tmp_path / "down")) for p in (tmp_path / "down").rglob("*")) == [
        "a.txt", "deep", "deep/ä", "empty"]
    assert (tmp_path / "down" / "deep" / "ä").read_bytes() == bytes(range(256))
    cli("get", work, "tree/deep", tmp_path)  # into the folder
    assert (tmp_path / "deep" / "ä").exists()
    cli("exec", work, "-c", "pass", "--download", f"tree:{tmp_path}/again")
    assert (tmp_path / "again" / "a.txt").read_text() == "a"
    (tmp_path / "home").mkdir()
    cli("get", work, ".", tmp_path / "home")
    assert (tmp_path / "home" / "tree" / "a.txt").read_text() == "a"


# ---- the server ----


def test_two_first_clients_start_one_server(tmp_path):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    env = {"XDG_RUNTIME_DIR": str(runtime), "XDG_STATE_HOME": str(tmp_path / "state")}
    cli = Cli("", **env)
    del cli.env["GLASSBELL_SOCKET"]
    clients = [cli.start("ls") for _ in range(4)]
    for client in clients:
        _, said = client.communicate(timeout=DEADLINE)
        assert client.returncode == 0, said
    log = (tmp_path / "state/glassbell/server.log").read_text()
    assert log.count("listening at") == 1, log
    from support import Client

    socket = runtime / "glassbell/server.sock"
    with Client(socket) as client:
        client.call("server.shutdown")
    wait_for(lambda: not socket.exists(), what="the end of the server")
    assert (runtime / "glassbell").stat().st_mode & 0o777 == 0o700


def test_folders_of_others_are_not_trusted(tmp_path):
    (tmp_path / "glassbell").mkdir()
    (tmp_path / "glassbell").chmod(0o777)
    cli = Cli("", XDG_RUNTIME_DIR=str(tmp_path))
    del cli.env["GLASSBELL_SOCKET"]
    done = cli("ls", status=125)
    assert b"others can write" in done.stderr and b"policy" in done.stderr


def test_second_server_is_refused(server, cli):
    done = cli("serve", "--socket", server.socket, status=125)
    assert b"busy" in done.stderr


def test_a_daemon_says_why_it_cannot_start(tmp_path):
    done = Cli(tmp_path / "sock")("serve", "--daemon", "--images", tmp_path / "none", "--log",
                                  tmp_path / "log", status=125)
    assert b"could not start" in done.stderr and b"images" in done.stderr


def test_lost_server(tmp_path):
    with contextlib.ExitStack() as stack:
        server = Server(folder=tmp_path)
        stack.callback(server.stop)
        process = Cli(server.socket).start("run", "-c",
                                           "print('ready', flush=True)\nimport time; time.sleep(600)")
        assert process.stdout.readline() == b"ready\n"
        server.process.kill()
        _, said = process.communicate(timeout=DEADLINE)
        assert process.returncode == 125
        assert b"outcome_unknown" in said and b"may have run" in said


def test_idle_exit(tmp_path):
    with Server("--idle-exit", "0.5", folder=tmp_path) as server:
        with server.client() as client:
            client.call("session.list")
        assert server.process.wait(DEADLINE) == 0
        assert not server.socket.exists()


def test_doctor(cli):
    report = json.loads(cli.out("doctor", "--json"))
    found = {finding["what"]: finding for finding in report["findings"]}
    assert report["usable"] and {"accelerator", "qemu", "server", "seccomp"} <= set(found)
    assert found["server"]["verdict"] == "ok"
    text = cli.out("doctor")
    assert "image python" in text and found["image python"]["text"].split()[-1] in text


def test_doctor_tells_which_qemu(cli):
    """The program that is asked by hand, and what of its processor no guest is shown."""
    report = json.loads(cli.out("doctor", "--json"))
    qemu, texts = report["qemu"], {f["what"]: f["text"] for f in report["findings"]}
    banner = subprocess.run([qemu["path"], "--version"], capture_output=True, text=True,
                            check=True).stdout.splitlines()[0]
    assert banner.startswith(f"QEMU emulator version {qemu['version']}")
    assert qemu["package"] in banner
    for part in ("version", "package", "path"):
        assert qemu[part] in texts["qemu"]
    known = subprocess.run([qemu["path"], "-cpu", "help"], capture_output=True, text=True,
                           check=True).stdout.split("Recognized CPUID flags:")[1].split()
    without = {feature["name"] for feature in qemu["cpu_without"]}
    unknown = {feature["name"] for feature in qemu["cpu_unknown"]}
    assert {"svm", "vmx"} | ({"erms", "fsrm"} if qemu["cpu"] == "max" else {"pmu"}) <= without
    assert without <= set(known) and not unknown & set(known)
    for name in without | unknown:
        assert name in texts["processor"]
    assert all(feature["why"] for feature in qemu["cpu_without"] + qemu["cpu_unknown"])


def test_doctor_without_images(cli, tmp_path):
    assert b"missing" in cli("doctor", "--images", tmp_path, status=1).stdout


def test_image_ls(cli):
    assert {"python", "javascript", "shell"} <= set(cli.out("image", "ls", "--names").split())
    assert {i["name"] for i in json.loads(cli.out("image", "ls", "--json"))} >= {"python"}


def test_completion_in_bash(cli, work):
    folder = pathlib.Path(BINARY).resolve().parent
    script = ('source <(glassbell completion bash); COMP_WORDS=({words}); COMP_CWORD={at}; _glassbell; '
              'echo "${{COMPREPLY[@]}}"')

    def complete(*words):
        line = script.format(words=" ".join(f"'{word}'" for word in words), at=len(words) - 1)
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=DEADLINE,
                              env=dict(cli.env, PATH=f"{folder}:{os.environ['PATH']}"), check=True)
        return done.stdout.split()

    assert complete("glassbell", "do") == ["doctor"]
    assert complete("glassbell", "run", "--ti") == ["--time"]
    assert complete("glassbell", "run", "-l", "ja") == ["javascript"]
    assert complete("glassbell", "exec", work[:7]) == [work]


# ---- the prompt without a terminal ----


def test_repl_from_a_pipe(cli):
    done = cli("repl", input=b"x = 3\ndef f(a):\n    return a * x\nf(4)\nif x == 3:\n    print('three')\n"
               b"else:\n    print('no')\nprint('end')\n1/0\nfor i in range(2):\n  print(i)")
    assert done.stdout == b"12\nthree\nend\n0\n1\n" and b"ZeroDivisionError" in done.stderr
    assert cli.out("repl", "-l", "sh", input=b"for i in 1 2\ndo echo $i\ndone\n") == "1\n2\n"


# ---- the prompt on a terminal ----


class Screen:
    """The program in tmux: keys go in, the screen comes out. Waits for what it shows."""

    prompt = ">>>"

    def __init__(self, folder, env, *arguments, program=(BINARY,)):
        self.socket = folder / "tmux"
        settings = [f"{name}={value}" for name, value in env.items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50",
                  "env", "TERM=screen-256color", *settings, *program, *arguments)
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", str(self.socket), *map(str, arguments)],
                              capture_output=True, text=True, check=True, timeout=DEADLINE).stdout

    def text(self):
        return self.tmux("capture-pane", "-p")

    def line(self):
        """The line that the cursor is in."""
        lines = [line for line in self.text().splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def enter(self, text):
        self.type(text)
        self.keys("Enter")

    def expect(self, part):
        wait_for(lambda: part in self.text(), what=f"{part!r} on\n{self.text()}\n")

    def expect_line(self, line):
        wait_for(lambda: self.line() == line, what=f"{line!r} as the last line of\n{self.text()}\n")

    def leave(self):
        """Ctrl-D, at a prompt: the terminal has another meaning for it while a cell runs."""
        self.expect_line(self.prompt)
        self.keys("C-d")
        self.expect_end()

    def expect_end(self):
        wait_for(lambda: self.tmux("display", "-p", "#{pane_dead}").strip() == "1", what="the end")

    def close(self):
        end_tmux(self.socket)


@pytest.fixture
def terminal(cli, tmp_path):
    if shutil.which("tmux") is None:
        pytest.fail("tmux is needed")
    screens = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-tmux-"))  # a short path: it holds a socket
    env = {name: value for name, value in cli.env.items() if name.startswith("GLASSBELL")}
    env.update(XDG_STATE_HOME=str(tmp_path), LANG="C.UTF-8", PATH=os.environ["PATH"])

    def start(*arguments, **more):
        screen = Screen(folder, dict(env, **more), "repl", *arguments)
        screens.append(screen)
        return screen

    yield start
    for screen in screens:
        screen.close()
    shutil.rmtree(folder)


def test_background_output_while_typing(terminal, cli, client):
    """What a process left behind prints stands above the prompt, and what was typed stays."""
    screen = terminal("-l", "sh")
    screen.prompt = "$"
    screen.expect_line("$")
    screen.enter("(while [ ! -e go ]; do sleep 0.02; done; echo late-word) & echo sent")
    screen.expect("\nsent\n")
    screen.expect_line("$")
    screen.type("echo half")
    screen.expect_line("$ echo half")
    [session] = [s["session"] for s in client.call("session.list")["sessions"] if s["label"] == "repl"]
    client.call("file.write", session=session, path="go", text="")
    screen.expect("\nlate-word\n$ echo half")
    screen.enter(" done")
    screen.expect("\nhalf done\n")
    screen.leave()


@pytest.mark.parametrize("width", [100, 60])
def test_a_stopped_line_comes_back(cli, tmp_path, width):
    """Ctrl-Z and `fg`: what was typed stands there again, can be edited, and runs; also where the
    terminal has another width by then."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-tmux-"))
    env = {name: value for name, value in cli.env.items() if name.startswith("GLASSBELL")}
    env.update(XDG_STATE_HOME=str(tmp_path), LANG="C.UTF-8", PATH=os.environ["PATH"], PS1="shell> ", HOME=str(tmp_path))
    screen = Screen(folder, env, program=("bash", "--norc", "--noprofile", "-i"))
    try:
        screen.expect_line("shell>")
        screen.enter(f"{BINARY} repl")
        screen.expect_line(">>>")
        screen.type("print('half', 6 *")
        screen.expect_line(">>> print('half', 6 *")
        screen.keys("C-z")
        screen.expect_line("shell>")
        screen.tmux("resize-window", "-x", width, "-y", 50)
        screen.enter("clear; echo between")
        screen.expect("between\nshell>")
        screen.enter("fg")
        screen.expect_line(">>> print('half', 6 *")
        screen.type(" 7)")
        screen.expect_line(">>> print('half', 6 * 7)")
        screen.keys("C-a")
        screen.type("1; ")
        screen.expect_line(">>> 1; print('half', 6 * 7)")
        screen.keys("Enter")
        screen.expect("\nhalf 42\n")
        screen.expect_line(">>>")
        screen.keys("C-d")
        screen.expect_line("shell>")
        screen.enter("stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo")
        screen.expect("\nicanon\necho\nshell>")  # as it was before
    finally:
        screen.close()
        shutil.rmtree(folder)


def test_prompt(terminal, tmp_path):
    screen = terminal()
    screen.expect(">>>")
    screen.expect("python, accelerator")
    screen.enter("6 * 7")
    screen.expect("\n42\n")
    # several lines, with the indentation that the guest asks for
    screen.expect_line(">>>")
    screen.enter("def f(x):")
    screen.expect_line("...")
    screen.enter("return x + 1")
    screen.expect("...     return x + 1")
    screen.keys("Enter")
    screen.expect_line(">>>")
    screen.enter("f(1)")
    screen.expect("\n2\n")
    # completion
    screen.type("import zipf")
    screen.keys("Tab")
    screen.expect_line(">>> import zipfile")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.type("import time")
    screen.keys("Tab")
    screen.keys("Tab")
    screen.expect("timeit")
    screen.keys("C-c")
    # Ctrl-C interrupts a cell and keeps what there was
    screen.enter("print('sleeps'); import time; time.sleep(600)")
    screen.expect("\nsleeps")
    screen.keys("C-c")
    screen.expect("KeyboardInterrupt")
    screen.enter("f(40)")
    screen.expect("\n41\n")
    # input() reads what is typed, type-ahead stays for the prompt
    screen.enter("'so ' + input('who? ')")
    screen.expect("who? ")
    screen.enter("you")
    screen.expect("'so you'")
    # history: the entry of several lines comes back as one
    screen.expect_line(">>>")
    screen.keys("C-r")
    screen.type("def f")
    screen.expect("return x + 1")
    screen.keys("C-c")
    # what the guest prints cannot clear the screen
    screen.enter(r"print('\x1b[2J\x1b[31mred')")
    screen.expect(r"\x1b[2Jred")
    screen.expect("sleeps")
    screen.leave()
    history = tmp_path / "glassbell/history-python"
    assert history.stat().st_mode & 0o777 == 0o600
    # another prompt finds them
    screen = terminal()
    screen.expect_line(">>>")
    screen.keys("Up")
    screen.expect("x1b[2J")
    screen.keys("C-c")
    screen.enter(":quit")
    screen.expect_end()


def test_a_cell_is_edited_as_a_whole(terminal, tmp_path):
    """A paste is one cell, its lines can be gone to, and its window may change while it is typed."""
    screen = terminal()
    screen.expect_line(">>>")
    screen.tmux("set-buffer", "def f(n):\n    if n < 2:\n        return 1\n    return n * f(n - 1)")
    screen.tmux("paste-buffer", "-p")
    screen.expect_line("...     return n * f(n - 1)")
    screen.expect(">>> def f(n):\n...     if n < 2:\n...         return 1\n...     return n * f(n - 1)")
    screen.tmux("resize-window", "-x", "20", "-y", "50")
    screen.expect("return n * f\n(n - 1)")
    screen.tmux("resize-window", "-x", "100", "-y", "50")
    screen.expect("accelerator")
    screen.expect(">>> def f(n):\n...     if n < 2:\n...         return 1\n...     return n * f(n - 1)")
    screen.keys("Up", "BSpace")  # the 1 of the third line is a 7
    screen.type("7")
    screen.expect("...         return 7\n")
    screen.keys("M-Enter")
    screen.expect_line(">>>")
    screen.enter("f(3)")
    screen.expect("\n42\n")
    # the same beginning: what was typed before is offered, and End takes it
    screen.type("f(")
    screen.expect_line(">>> f(3)")
    screen.keys("End")
    screen.type(" + 1")
    screen.keys("Enter")
    screen.expect("\n43\n")
    # what fits is listed below, to choose from
    (tmp_path / "one-file").touch()
    (tmp_path / "other-file").touch()
    screen.type(f":put {tmp_path}/o")
    screen.keys("Tab")
    screen.expect(f":put {tmp_path}/o\n  {tmp_path}/o")
    screen.keys("Tab", "Tab", "BTab", "Escape")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.keys("C-l")
    wait_for(lambda: screen.text().strip() == ">>>", what="an empty screen")
    screen.leave()


def test_a_cell_is_edited_outside(terminal, tmp_path):
    """C-x C-e: the person's editor gets the cell in a file of its own, and what it leaves is typed."""
    editor = tmp_path / "editor"
    editor.write_text("""#!/bin/sh -e
[ -t 0 ] && [ -t 1 ]
stty -a | grep -q ' icanon'
printf '%s %s\n' "$1" "$(stat -c %a "$1")" >>"$NOTES/notes"
if grep -q refuse "$1"; then exit 3; fi
if grep -q interrupt "$1"; then kill -INT 0; fi
sed -i s/one/two/ "$1"
""")
    editor.chmod(0o755)
    screen = terminal(VISUAL="", EDITOR=f"{editor}", NOTES=str(tmp_path))
    screen.expect_line(">>>")
    screen.enter("for word in 'one', 'one':")
    screen.expect_line("...")
    screen.type("print(word * 2)")
    screen.keys("C-x", "C-e")
    screen.expect(">>> for word in 'two', 'one':\n...     print(word * 2)")
    screen.keys("M-Enter")
    screen.expect("\ntwotwo\noneone\n")
    # an editor that fails changes nothing, and neither does what interrupts it
    screen.expect_line(">>>")
    screen.type("'refuse ' + 'one'")
    screen.keys("C-x", "C-e")
    screen.expect("the editor ended with status 3")
    screen.expect_line(">>> 'refuse ' + 'one'")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.type("'interrupt' + 'one'")
    screen.keys("C-x", "C-e")
    screen.expect("the editor ended with status")
    screen.expect_line(">>> 'interrupt' + 'one'")
    screen.keys("Enter")
    screen.expect("\n'interruptone'\n")
    notes = [line.split() for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(notes) == 3 and {mode for _, mode in notes} == {"600"}
    assert all(path.endswith(".py") and not os.path.exists(path) for path, _ in notes)
    screen.leave()


@pytest.mark.parametrize("arguments, prompt, lines, says, then", [
    ((), ">>>", ("for i in 1, 2:", "print(i)"), "\n1\n2\n", ("40 + 2", "42")),
    ((), ">>>", ("x = (1,",), "SyntaxError", ("40 + 2", "42")),
    (("-l", "sh"), "$", ("if true; then",), "unexpected end of file", ("echo $((40 + 2))", "42")),
])
def test_ctrl_d_below_a_cell_ends_it(terminal, arguments, prompt, lines, says, then):
    """As with bash and Python: what is there is run, and the session goes on."""
    screen = terminal(*arguments)
    screen.prompt = prompt
    screen.expect_line(prompt)
    for line in lines:
        screen.enter(line)
        wait_for(lambda: screen.line() in ("...", ">"), what="a further line")
    # within a line it deletes, and at its end it does nothing
    screen.type("ab")
    screen.keys("C-d", "Left", "C-d", "C-d", "BSpace")
    wait_for(lambda: screen.line() in ("...", ">"), what="an empty line")
    screen.keys("C-d")
    screen.expect(says)
    screen.expect_line(prompt)
    screen.enter(then[0])
    screen.expect(f"\n{then[1]}\n")
    screen.leave()


def test_prompt_commands(terminal, tmp_path):
    (tmp_path / "data").write_text("12345")
    screen = terminal()
    screen.expect_line(">>>")
    screen.enter(":help")
    screen.expect(":save N FILE")
    screen.enter(f":put {tmp_path}/data")
    screen.enter(":ls")
    screen.expect("5B  data")
    screen.enter("x = 1")
    screen.enter(":time")
    screen.expect("of processor time")
    screen.enter(f":get data {tmp_path}/back")
    wait_for(lambda: (tmp_path / "back").exists(), what="the file")
    assert (tmp_path / "back").read_text() == "12345"
    screen.enter('type("P", (), {"_repr_png_": lambda self: b"a figure"})()')
    screen.expect("image/png")
    (tmp_path / "link").symlink_to("figure")
    screen.enter(f":save 1 {tmp_path}/link")
    wait_for(lambda: (tmp_path / "figure").exists(), what="the figure")
    assert (tmp_path / "figure").read_bytes() == b"a figure" and (tmp_path / "link").is_symlink()
    screen.enter(":save 1 /dev/full")
    screen.expect("cannot write /dev/full: No space left")
    screen.enter(":frobnicate")
    screen.expect("there is no command :frobnicate")
    screen.enter(":reset")
    screen.enter("x")
    screen.expect("NameError")
    screen.enter("import os; os._exit(1)")
    screen.expect("the interpreter is a new one")
    screen.enter("exit()")
    screen.expect_end()


def test_prompt_in_a_named_session(terminal, cli, work):
    cli("exec", work, "-c", "there = 'kept'")
    screen = terminal(work)
    screen.expect_line(">>>")
    screen.enter("there")
    screen.expect("'kept'")
    screen.leave()
    assert cli.out("exec", work, "-c", "print(there)") == "kept\n"


def test_prompt_of_javascript(terminal):
    screen = terminal("-l", "js")
    screen.expect_line(">")
    screen.enter("const f = x => {")
    screen.expect_line("...")
    screen.enter("return x * 2 }")
    screen.enter("f(21)")
    screen.expect("\n42\n")


def test_prompt_of_shell(terminal):
    screen = terminal("-l", "sh")
    screen.expect_line("$")
    screen.enter("for i in 1 2; do")
    screen.expect_line(">")
    screen.enter("echo n$i; done")
    screen.expect("n1\nn2\n")
    screen.enter("read name; echo got $name")
    screen.enter("it")
    screen.expect("got it")
