# SPDX-License-Identifier: Apache-2.0
"""Adding a language takes two folders and nothing else: the example (examples/rpn, docs/worker.md) is added to a
copy of the tree, its worker is built and its image made there, and the program of this tree, which has never heard
of it, runs it in VMs.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from support import BINARY, DEADLINE, ROOT, Failure, Server, Session, err, out, wait_for
from terminal import Terminal, front_end

EXAMPLE = ROOT / "examples/rpn"
FOLDERS = ("agent/workers/rpn", "images/recipes")
PROGRAM = "#!/usr/bin/env rpn\n: square dup * ; \\ a new word\n3 square 4 square + print\n"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          timeout=10 * DEADLINE, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked():
    return run("git", "-C", ROOT, "ls-files", "-z").split("\0")[:-1]


@pytest.fixture(scope="module")
def images():
    """A copy of the tree with the language in it, and the folder of images that it makes."""
    # Beside the images: links lead no further than their file system.
    with tempfile.TemporaryDirectory(prefix="tree-", dir=pathlib.Path(os.environ["GLASSBELL_IMAGES"]).parent) as folder:
        tree, built, made = (pathlib.Path(folder) / name for name in ("tree", "build", "images"))
        for name in tracked():
            if (ROOT / name).is_file() and name.startswith(("agent/", "engine/base", "images/")):
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        before = {path.relative_to(tree) for path in tree.rglob("*") if path.is_file()}
        shutil.copytree(EXAMPLE, tree, dirs_exist_ok=True)
        added = {path.relative_to(tree) for path in tree.rglob("*") if path.is_file()} - before
        assert {str(path.parent) for path in added} == set(FOLDERS)
        run("cmake", "-S", tree / "agent/workers", "-B", built, "-G", "Ninja")
        run("ninja", "-C", built)
        # What a machine has that made its images before. The links are replaced, what they lead to is not touched.
        shutil.copytree(os.environ["GLASSBELL_IMAGES"], made, copy_function=os.link,
                        ignore=shutil.ignore_patterns("log", ".*"))
        said = run(tree / "images/build", "--output", made, "--agent", os.environ["GLASSBELL_AGENT"],
                   "--workers", built / "worker", "rpn")
        assert "rpn: taken as it was made before for python" in said and "fetching" not in said, said
        yield made


@pytest.fixture(scope="module")
def server(images):
    with Server(env={"GLASSBELL_IMAGES": str(images), "RPN_OPTIONS": "none"}) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def rpn(client):
    return Session(client, "rpn", label="calculator")


def glassbell(server, *arguments, status=0, **options):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, env=server.env, check=False,
                          timeout=DEADLINE, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_no_source_knows_it():
    """What there is of the language outside the example: pages, and this test."""
    names = re.compile(rb"\brpn\b", re.I)
    known = {name for name in tracked() if not name.startswith("examples/rpn/") and (ROOT / name).is_file()
             and names.search((ROOT / name).read_bytes())}
    assert {name for name in known if not name.endswith(".md")} <= {"tests/new_language_test.py"}
    files = [name for name in tracked() if name.startswith("examples/rpn/")]
    assert len(files) == 4 and not [name for name in files if name.endswith((".c", ".h"))]


def test_the_server_tells_it(client):
    hello = client.call("hello", client="test", protocol=1)
    [record] = [record for record in hello["languages"] if record["name"] == "rpn"]
    written = json.loads((EXAMPLE / "agent/workers/rpn/language.json").read_text())
    assert record == {key: value for key, value in written.items() if key not in ("warm", "environment")}
    [image] = [image for image in hello["images"] if image["name"] == "rpn"]
    assert image["language"] == "rpn" and image["aliases"] == ["calc"]


def test_cells(client, rpn):
    """State, values, errors, and standard input."""
    assert rpn.get()["language"] == "rpn"
    first = rpn.exec("2 3 + ( a comment ) 10")
    assert first["exit_code"] == 0 and first["value"] == "10" and out(first) == ""
    assert out(rpn.exec(": twice 2 * ; twice print print")) == "20\n5\n"
    assert out(rpn.exec("21 twice print")) == "42\n"
    empty = rpn.exec("drop")
    assert empty["exit_code"] == 1 and err(empty) == "error: the stack is empty\n" and "value" not in empty
    assert out(rpn.exec("read print", stdin="7\n")) == "7\n"
    for mode, code, expected in (("process", "1 print", "1\n"), ("shell", "echo $((6*7))", "42\n")):
        assert out(rpn.exec(code, mode=mode)) == expected
    # A fresh interpreter of the same language does not know the words of the session.
    assert err(rpn.exec("1 twice", mode="process")) == "error: twice is neither a number nor a word\n"


def test_a_figure(rpn):
    cell = rpn.exec("1 2 3 plot drop drop drop")
    [figure] = cell["displays"]
    assert figure["mime"] == "image/svg+xml" and cell["exit_code"] == 0


def test_interrupt_and_time_out(client, rpn):
    rpn.exec("5")
    cell = rpn.send("forever")
    wait_for(lambda: rpn.get()["state"] == "running", what="the cell")
    rpn.call("session.interrupt")
    ended = cell.wait()
    assert ended["interrupted"] and ended["exit_code"] == 130 and err(ended) == "interrupted\n"
    late = rpn.exec("forever", timeout_ms=300)
    assert late["timed_out"]
    assert out(rpn.exec("print")) == "5\n"  # what was there is still there


def test_questions(rpn):
    rpn.exec(": cube dup dup * * ;")
    told = rpn.call("session.complete", code="2 d", cursor=3)
    assert [match["text"] for match in told["matches"]] == ["drop", "dup"] and (told["start"], told["end"]) == (2, 3)
    told = rpn.call("session.complete", code="cu", cursor=2)
    assert [(match["text"], match["type"]) for match in told["matches"]] == [("cube", "function")]
    assert rpn.call("session.is_complete", code="1 2 +")["status"] == "complete"
    assert rpn.call("session.describe", code="1 dup") == {"type": "", "signature": "", "summary": ""}
    told = rpn.call("session.is_complete", code=": a dup")
    assert told["status"] == "incomplete" and told["indent"] == "  "


def test_what_steers_it_is_refused(client, rpn):
    for name in ("RPN_OPTIONS", "rpn_options"):
        with pytest.raises(Failure, match="steers the sandbox") as failure:
            rpn.exec("1", env={name: "x"})
        assert failure.value.kind == "invalid_input"
    with pytest.raises(Failure, match="steers the sandbox"):  # another's worker starts it, perhaps
        Session(client, "shell", env={"RPN_OPTIONS": "x"})


def test_programs(server, tmp_path):
    """By its ending, by its first line, by -l, by an alias, and from a notebook."""
    for name, options in (("a.rpn", ()), ("tool", ()), ("a.txt", ("-l", "calc")), ("A.RPN", ())):
        (tmp_path / name).write_text(PROGRAM)
        assert glassbell(server, "run", *options, tmp_path / name).stdout == "25\n"
    (tmp_path / "bad.rpn").write_text("1 0 /\n")
    failed = glassbell(server, "run", tmp_path / "bad.rpn", status=1)
    assert failed.stderr == "error: a division by zero\n"
    wanting = glassbell(server, "run", "-l", "rpn", "-c", "read", status=1, stdin=subprocess.DEVNULL)
    assert "--stdin gives it ours" in wanting.stderr
    cells = [{"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
             for code in ("6 7", "* print")]
    (tmp_path / "n.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells,
                                                  "metadata": {"kernelspec": {"name": "rpn", "language": "rpn",
                                                                              "display_name": "RPN"}}}))
    assert "42\n" in glassbell(server, "run", tmp_path / "n.ipynb").stdout
    unknown = glassbell(server, "run", "-l", "cobol", "-c", "1", status=2)
    assert "javascript, python, rpn, shell" in unknown.stderr
    listed = glassbell(server, "image", "ls", "--languages").stdout.split()
    assert listed == ["javascript", "python", "rpn", "shell"]


def test_the_command_line_tells_it(server):
    """The help, the hint for what is no verb, and completion: all by the record."""
    for verb in ("run", "repl", "open"):
        assert "\nlanguages: javascript, python, rpn, shell\n" in glassbell(server, verb, "--help").stdout
    assert "languages:" not in glassbell(server, "ls", "--help").stdout
    for word in ("rpn", "calc"):
        said = glassbell(server, word, status=2).stderr
        assert f"there is no verb {word}; `glassbell repl -l rpn` is a prompt of RPN, " in said, said
    # As bash does it, with the word before the cursor.
    script = ('eval "$("$0" completion bash)"; COMP_WORDS=(glassbell run -l r); COMP_CWORD=3; '
              'COMP_LINE="glassbell run -l r"; COMP_POINT=${#COMP_LINE}; _glassbell; echo "${COMPREPLY[*]}"')
    environment = {**server.env, "PATH": f"{pathlib.Path(BINARY).resolve().parent}:{os.environ['PATH']}"}
    assert run("bash", "-c", script, BINARY, env=environment).split() == ["rpn"]


def test_models_are_told_it(server):
    """In the schema of a tool of `glassbell mcp`, which then runs it."""
    lines = [{"method": "initialize", "id": 0, "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                                                          "clientInfo": {"name": "test", "version": "1"}}},
             {"method": "tools/list", "id": 1},
             {"method": "tools/call", "id": 2,
              "params": {"name": "run_code", "arguments": {"code": "6 7 * print", "language": "calc"}}}]
    mcp = subprocess.Popen([BINARY, "mcp", "--no-autostart"], env=server.env, text=True, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    mcp.stdin.writelines(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
    mcp.stdin.flush()
    answers = [json.loads(mcp.stdout.readline())["result"] for _ in lines]
    mcp.communicate(timeout=DEADLINE)
    assert mcp.returncode == 0
    tools = {tool["name"]: tool for tool in answers[1]["tools"]}
    for name in ("run_code", "open_session"):
        said = tools[name]["inputSchema"]["properties"]["language"]["description"]
        assert said.endswith("Its languages: javascript, python, rpn, shell"), said
    assert answers[2]["structuredContent"]["stdout"] == "42\n"


def test_documents(server, rpn):
    rpn.exec("1 2 +")
    rpn.exec("echo hello", mode="shell")
    notebook = json.loads(glassbell(server, "export", rpn.id).stdout)
    assert notebook["metadata"]["kernelspec"] == {"name": "rpn", "language": "rpn", "display_name": "RPN calculator"}
    assert "%%sh\necho hello" in ["".join(cell["source"]) for cell in notebook["cells"]]
    assert "```rpn\n1 2 +\n```" in glassbell(server, "export", "--format", "md", rpn.id).stdout
    assert "rpn> 1 2 +\n" in glassbell(server, "log", rpn.id).stdout
    assert "is not a session of Python" in glassbell(server, "export", "--format", "py", rpn.id, status=125).stderr


def test_a_prompt(server, tmp_path):
    command = f"{BINARY} repl --socket {server.socket} -l rpn"
    with Terminal(tmp_path, command) as terminal:
        terminal.wait("rpn>")
        terminal.type("6 7 *")
        terminal.keys("Enter")
        terminal.wait("42")
        terminal.type(": half")
        terminal.keys("Enter")
        terminal.wait("...>")  # the record's second prompt, and the indentation that the worker asked for
        terminal.type("2 / ; 1")
        terminal.keys("Enter")
        terminal.wait("2 / ; 1\n1\nrpn>")
        terminal.type("half ha")
        terminal.keys("Tab")
        terminal.wait("half half")
        screen = terminal.screen(colours=True)
        terminal.keys("C-c")
        terminal.keys("C-d")
        wait_for(terminal.dead, what="the end of the prompt")
    assert re.search(r"rpn> .*half", screen)
    piped = glassbell(server, "repl", "-l", "rpn", input="1\n2 +\n: f\n9\n;\nf\n").stdout
    assert piped == "1\n3\n3\n9\n"  # what is on top is the value of each cell


def test_the_front_end(server, rpn, tmp_path):
    rpn.exec("( a comment ) 1 dup")
    with front_end(tmp_path, server.socket, rpn.id, verb="attach", columns=120, rows=40) as terminal:
        terminal.wait("a comment", "rpn>")
        screen = terminal.screen(colours=True)
    # A comment and a keyword have colours of their own.
    for text in (r"\x1b\[[0-9;]*m\( a comment \)", r"\x1b\[[0-9;]*mdup"):
        assert re.search(text, screen), screen
