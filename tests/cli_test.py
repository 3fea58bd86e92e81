# SPDX-License-Identifier: Apache-2.0
"""The program as people use it: verbs with a real server and real guests."""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess

import pytest

from support import BINARY, DEADLINE, Cli, Server, wait_for


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
    (["open", "python"], b"--image chooses the image"),
    (["exec"], b"which session?"),
    (["close"], b"which session?"),
    (["put", "x"], b"put takes"),
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
