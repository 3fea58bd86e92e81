# SPDX-License-Identifier: Apache-2.0
"""The shell worker, driven through its channels."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import FINAL, INTERACTIVE, STALE_SIGINT, Worker, field, served, u32, worker


@pytest.fixture
def sh():
    with worker('shell') as process:
        yield process


def test_state_is_kept(sh):
    sh.run('export K=v; cd /tmp; f(){ echo fn:$1; }; declare -A m=([a]=1); shopt -s nullglob')
    assert sh.run('echo $K $PWD; f 7; echo ${m[a]}; shopt nullglob').out == (
        b'v /tmp\nfn:7\n1\nnullglob       \ton\n')


@pytest.mark.parametrize('code, exit, err', [
    ('exit 3', 3, b''),
    ('exit 256', 0, b''),
    ('f() { exit 4; }; f; echo no', 4, b''),
    ('set -e; false; echo no >&2', 1, b''),
    ('set -e; f() { local v=1; false; }; f', 1, b''),
    ('set -u; echo $nope; echo no >&2', 1, b'nope: unbound variable'),
    ('echo ${x:?gone}', 1, b'gone'),
    ('if true; then', 2, b'unexpected end of file'),
    ('echo "a', 2, b'unexpected EOF'),
    ('fi', 2, b'syntax error near unexpected token'),
    ('nosuchcmd', 127, b'nosuchcmd: command not found'),
    ('exec nosuchcmd', 127, b'not found'),
    ('/etc/passwd', 126, b'Permission denied'),
    ('kill -TERM $BASHPID & wait $!', 143, b''),
    ('(exit 5)', 5, b''),
    ('return 6', 2, b'can only `return'),
    ('set -n', 0, b''),
    ('readonly R=1; R=2; echo no', 1, b'readonly'),
    ('glassbell', 127, b'command not found'),
    ('trap "exit 9" ERR; false', 9, b''),
    ('eval "eval \'exit 8\'"', 8, b''),
    ('source /dev/stdin <<< "exit 7"', 7, b''),
    ('echo a\0b', 2, b'NUL'),
])
def test_session_survives(sh, code, exit, err):
    sh.run('KEEP=kept')
    result = sh.run(code)
    assert result.exit == exit and err in result.err and b'no\n' not in result.err, result
    again = sh.run('echo $? $KEEP ${FUNCNAME[@]} $0; trap - ERR')
    assert again.out == b'%d kept bash\n' % exit and again.err == b'', again


def test_set_e_stays_on(sh):
    assert sh.run('set -e').exit == 0
    assert sh.run('false; echo no').exit == 1
    assert sh.run('echo alive').out == b'alive\n'
    assert sh.run('false; echo no').out == b''


def test_exec_redirections_hold_for_their_cell(sh):
    assert sh.run('exec 2>/dev/null; echo lost >&2').err == b''
    assert sh.run('echo err >&2').err == b'err\n'
    sh.run('exec 5>file; echo five >&5')
    sh.run('echo more >&5; exec >&- 2>&- <&-')
    assert sh.run('cat file').out == b'five\nmore\n'


def test_bash_is_bash(sh):
    assert sh.run('a=(1 2 3); echo ${#a[@]}; cat <(echo hi); [[ abc =~ b(.) ]]; '
                  'echo ${BASH_REMATCH[1]}; cat <<< here; echo $LINENO\necho $LINENO').out == (
                      b'3\nhi\nc\nhere\n1\n2\n')
    assert sh.run('echo $(( 6 * 7 )); printf "%s\\n" {a..c} | tac').out == b'42\nc\nb\na\n'
    assert sh.run('! history | grep .; shopt expand_aliases; echo "!x"').out == (
        b'expand_aliases \toff\n!x\n')
    assert sh.run('ls /proc/self/fd').out.split() == [b'0', b'1', b'2', b'3']
    assert sh.run('\ufeffecho bom').out == b'bom\n'


def test_last_command_does_not_replace_the_shell(sh):
    for code in ('/bin/true', ':; /bin/true', 'true && /bin/true', 'f() { /bin/true; }; f'):
        assert sh.run(code).exit == 0
    assert sh.run('x=$(/bin/echo 3); echo $x').out == b'3\n'


def test_exec_replaces_the_shell(sh):
    result = sh.start('exec echo replaced').finish(to_eof=True)
    assert result.gone and result.out == b'replaced\n'


@pytest.mark.parametrize('content', [
    'echo "$0|$#|$*|${BASH_SOURCE[*]}|${FUNCNAME[*]}|$LINENO|$-"\nf() { echo "${FUNCNAME[*]} ${BASH_LINENO[*]}"; }; f\n',
    '[[ $0 == "${BASH_SOURCE[0]}" ]] && echo main; cd "$(dirname "$0")" && . ./lib.sh\n',
    'trap "echo bye" EXIT; nosuch; exit 3\n', 'set -e; false; echo no\n', 'return 2\n', 'if then\n', 'exec echo x\n',
    b'echo "caf\xe9" | od -An -tx1\n', b'echo a\r\n', b'echo a\necho "b\0c"\n', b'\0\n', '', 'kill -9 $$\n',
])
def test_a_final_file_is_bash_itself(tmp_path, content):
    (tmp_path / 'prog.sh').write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / 'lib.sh').write_text('echo lib\n')
    real = subprocess.run(['/bin/bash', 'prog.sh', 'a', 'b c'], cwd=tmp_path, capture_output=True,
                          stdin=subprocess.DEVNULL)
    with worker('shell', home=tmp_path) as sh:
        done = sh.start('', file=str(tmp_path / 'prog.sh'), argv=('prog.sh', 'a', 'b c'),
                        flags=FINAL).finish(to_eof=True)
        status = os.waitstatus_to_exitcode(sh.wait(10))
    assert (status, done.out, done.err) == (real.returncode, real.stdout, real.stderr)


def test_a_final_file_is_run_by_what_its_first_line_names(tmp_path):
    script = tmp_path / 'tool'
    script.write_text('#!/bin/sh -e\necho "$0|$1|${BASH_VERSION-dash}"; false; echo no\n')
    script.chmod(0o755)
    with worker('shell', home=tmp_path) as sh:
        done = sh.start('', file=str(script), argv=('tool', 'x'), flags=FINAL).finish(to_eof=True)
        assert done.out == b'tool|x|dash\n'
        assert os.waitstatus_to_exitcode(sh.wait(10)) == 1


def test_a_file_in_a_session_leaves_its_names(tmp_path):
    (tmp_path / 'load.sh').write_text('kept=$1; echo "$0|$*|${BASH_SOURCE[0]}|${FUNCNAME[0]}"; nosuch\n'
                                      'f() { echo "f ${BASH_SOURCE[0]}"; }; f\n')
    with worker('shell', home=tmp_path) as sh:
        sh.run('set -- old words')
        done = sh.run('', file=str(tmp_path / 'load.sh'), argv=('load.sh', 'a', 'b'))
        assert done.out == b'load.sh|a b|load.sh|\nf load.sh\n' and done.exit == 0
        assert done.err == b'load.sh: line 1: nosuch: command not found\n'
        assert sh.run('echo "$kept|$0|$*|${#BASH_SOURCE[@]}"').out == b'a|bash|old words|0\n'
        assert sh.run('echo "$0|$*"', argv=('-c', 'name', 'a')).out == b'name|a\n'
        assert sh.run('echo "$0|$*"', argv=('-', 'a')).out == b'bash|a\n'
        done = sh.run('', file=str(tmp_path / 'missing.sh'), argv=('missing.sh',))
        assert done.exit == 127 and b'missing.sh: No such file' in done.err
        (tmp_path / 'tool').write_text('#!/usr/bin/python3\nimport sys; print(sys.argv[1:])\n')
        (tmp_path / 'tool').chmod(0o755)
        assert sh.run('', file=str(tmp_path / 'tool'), argv=('tool', 'x')).out == b"['x']\n"


@pytest.mark.parametrize('start', [b'', b'#!/bin/sh -e\n'])
@pytest.mark.parametrize('flags', [0, FINAL])
def test_a_program_that_is_a_fifo(tmp_path, start, flags):
    """`bash FIFO`, also what `bash <(...)` becomes: opened once, read to its end, and run by bash."""
    code = start + b'echo "$*"\n#' + b'x' * 200000 + b'\necho "end ${BASH_VERSION:0:1}"; exit 4\n'
    with served(tmp_path / 'pipe', code) as path, worker('shell', home=tmp_path) as sh:
        done = sh.start('', file=str(path), argv=('pipe', 'a', 'b'), flags=flags).finish(to_eof=True)
        status = os.waitstatus_to_exitcode(sh.wait(10)) if flags else done.exit
    assert done.out == b'a b\nend 5\n' and done.err == b'' and status == 4


def test_exit_trap_runs_at_the_end():
    with worker('shell') as sh:
        assert sh.run('trap "echo bye" EXIT; exit 2').out == b''
        result = sh.run('echo last; exit 3', flags=FINAL)
        assert result.out == b'last\nbye\n' and result.exit == 3
    with worker('shell') as sh:
        result = sh.run('trap "echo bye; exit 4" EXIT; (echo sub)', flags=FINAL)
        assert result.out == b'sub\nbye\n' and result.exit == 4


def test_background_jobs(sh):
    assert sh.run('sleep 60 & echo started; p=$!').out == b'started\n'
    assert sh.run('kill -0 $p && kill $p; wait $p; echo $?').out == b'143\n'
    first = sh.start('mkfifo go; (read x < go; echo late) &')
    first.until(lambda result: result.exit is not None)
    assert sh.run('echo > go; wait').out == b''
    assert first.finish(to_eof=True).out == b'late\n'


def test_output_is_exact(sh):
    result = sh.run('head -c 1000000 /dev/zero; printf "\\0\\377"; for i in {1..300}; '
                    'do echo $i; done; echo -n end >&2')
    assert result.out == bytes(1000000) + b'\0\xff' + b''.join(b'%d\n' % n for n in range(1, 301))
    assert result.err == b'end'


def test_stdin(sh):
    assert sh.run('if ! read x; then echo EOF; fi').out == b'EOF\n'
    assert sh.run('if ! read x; then echo EOF; fi', null_stdin=True).out == b'EOF\n'
    assert sh.run('read x; echo $x; cat', stdin=b'one\ntwo\n').out == b'one\ntwo\n'
    assert sh.run('while read l; do echo "<$l>"; done', stdin=b'a\nb\n').out == b'<a>\n<b>\n'


def test_waiting_is_told(sh):
    running = sh.start('read -r x; echo "got $x"', flags=INTERACTIVE)
    running.until(lambda result: result.waiting == [1])
    running.input(b'it\n')
    result = running.finish()
    assert result.out == b'got it\n' and result.waiting == [1, 0]
    running = sh.start('read x', flags=INTERACTIVE)
    running.until(lambda result: result.waiting == [1])
    sh.interrupt()
    result = running.finish()
    assert result.exit == 130 and result.waiting == [1, 0]


@pytest.mark.parametrize('code', [
    'echo go; sleep 60; echo no', 'echo go; while :; do :; done', 'echo go; sleep 60 | cat; echo no',
    'f() { sleep 60; echo no; }; echo go; f; echo no', 'echo go; x=$(sleep 60); echo no',
    'echo go; while :; do sleep 60; done', 'echo go; (sleep 60; echo no)', 'sleep 60 & echo go; wait',
    '#!/usr/bin/env -S python3 -I\nprint("go", flush=True)\nwhile True: pass',
])
def test_interrupt(sh, code):
    sh.run('x=5')
    sh.interrupt()
    for _ in range(2):
        running = sh.start(code, flags=STALE_SIGINT)
        running.until(lambda result: result.out == b'go\n')
        sh.interrupt()
        result = running.finish()
        assert result.exit == 130 and result.interrupted and result.out == b'go\n', result
        assert result.begun
        sh.interrupt()
        assert sh.run('echo $? ${x:-gone}; x=5', flags=STALE_SIGINT).out.startswith(b'130 ')


def test_status_after_an_interrupt_while_a_child_is_made(sh):
    """Each cell has a status of its own, wherever the one before was stopped."""
    for _ in range(10):
        running = sh.start('sleep 60')
        sh.interrupt()
        assert running.finish().exit == 130
        running = sh.start('sleep 60', flags=STALE_SIGINT)
        running.until(lambda result: result.begun)
        sh.interrupt()
        assert running.finish().exit == 130
        for code, status in (('true', 0), ('echo hi >/dev/null', 0), ('false', 1), ('x=1', 0)):
            assert sh.run(code, flags=STALE_SIGINT).exit == status, code


def test_prepare_leaves_nothing_of_itself(sh):
    before = sh.run('compgen -v').out
    sh.prepare()
    assert sh.run('compgen -v').out == before


def test_interrupt_before_the_cell_has_begun(sh):
    sh.interrupt()
    result = sh.run('sleep 60')
    assert result.exit == 130 and result.interrupted, result
    assert sh.run('echo on').out == b'on\n'


def test_interrupt_may_be_trapped(sh):
    sh.run('trap "echo caught; caught=1" INT')
    running = sh.start('echo go; until [[ $caught ]]; do :; done; echo after')
    running.until(lambda result: result.out == b'go\n')
    sh.interrupt()
    assert running.finish().out == b'go\ncaught\nafter\n'
    sh.run('trap - INT')
    running = sh.start('echo go; sleep 60')
    running.until(lambda result: result.out == b'go\n')
    sh.interrupt()
    assert running.finish().exit == 130


@pytest.mark.parametrize('code, exit, out', [
    ('#!/usr/bin/awk -f\nBEGIN { print 6 * 7 }', 0, b'42\n'),
    ('#!/bin/sh\nread x; echo "$x"; exit 42', 42, b'in\n'),
    ('#!/usr/bin/env -S python3 -I\nprint(1 + 1)', 0, b'2\n'),
    ('#!/nonexistent\nx', 127, b''),
])
def test_shebang(sh, code, exit, out):
    result = sh.run(code, stdin=b'in\n')
    assert result.exit == exit and result.out == out, result
    assert (exit == 127) == bool(result.err)


def test_environment(sh):
    sh.run('OWN=1; export KEPT=2')
    result = sh.run('echo $A $OWN $KEPT; env | grep -c "^A=\\|^OWN="',
                    env={'A': 'é\tb', 'OWN': '8', 'KEPT': '9'})
    assert result.out == 'é b 8 9\n2\n'.encode()
    assert sh.run('echo ${A-unset} $OWN $KEPT; env | grep -c ^OWN=').out == b'unset 1 2\n0\n'
    sh.settings(env={'B': '3'})
    assert sh.run('env | grep ^B=', env={'TZ': 'UTC'}).out == b'B=3\n'


def test_settings_reseed(sh):
    seen = []
    for entropy in (b'one', b'two', b'one'):
        sh.settings(entropy=entropy)
        seen.append(sh.run('echo $RANDOM $RANDOM').out)
    assert seen[0] == seen[2] != seen[1]
    sh.run('false')
    sh.settings(entropy=b'x', env={'C': '1'})
    assert sh.run('echo $?').out == b'1\n'


def test_children_do_not_hold_the_channel(sh):
    result = sh.run('(sleep 20; :) & kill -KILL $$')
    assert result.gone


def test_completion(sh):
    sh.run('mkdir -p "dir one" dtwo; touch dfile; my_function() { :; }; MY_VAR=1; cd .')
    assert sh.complete('my_f') == (0, 4, {'my_function': 'function'})
    assert sh.complete('echo $MY_V') == (6, 10, {'MY_VAR': 'instance'})
    assert sh.complete('echo ${MY_V')[0] == 7
    assert sh.complete('ls d') == (3, 4, {'dir\\ one/': 'path', 'dtwo/': 'path', 'dfile': 'path'})
    assert sh.complete('ls dir\\ o')[2] == {'dir\\ one/': 'path'}
    assert sh.complete('true && whil')[2] == {'while': 'keyword'}
    assert 'unset' in sh.complete('uns')[2]
    assert sh.complete('ü; compge')[:2] == (3, 9)
    assert sh.complete('a | my_function; echo', 8)[2] == {'my_function': 'function'}
    sh.run('false')
    sh.complete('l')
    assert sh.run('echo $?').out == b'1\n'


def test_description(sh):
    sh.run('my_function() { :; }; trap() { :; }; false')
    assert sh.describe('cd') == ('function', '[-L|[-P [-e]] [-@]] [dir]', 'Change the shell working directory.')
    assert sh.describe('x=1; true && unset')[2] == 'Unset values and attributes of shell variables and functions.'
    assert sh.describe('while')[0] == 'keyword' and 'do' in sh.describe('while')[1]
    assert sh.describe('my_function') == ('function', '', '')
    assert sh.describe('trap') == ('function', '', '')  # not bash's any more
    for code in ('ls', 'echo cd', '', '$HOME', 'cd '):
        assert sh.describe(code) == ('', '', ''), code
    assert sh.run('echo $?').out == b'1\n'


def test_completeness(sh):
    sh.run('false')
    for code, status, indent in [
            ('echo a', 'complete', ''), ('echo "a', 'incomplete', ''), ("echo 'a", 'incomplete', ''),
            ('if true; then', 'incomplete', '    '), ('for i in a; do\n  echo', 'incomplete', '  '),
            ('cat <<E\nx', 'incomplete', ''), ('cat <<E\nx\nE', 'complete', ''),
            ('a \\', 'incomplete', ''), ('a \\\\', 'complete', ''), ('a |', 'incomplete', ''),
            ('a &&', 'incomplete', ''), ('fi', 'invalid', ''), ('f() {', 'incomplete', '    '),
            ('echo $(ls', 'incomplete', ''), ('touch made', 'complete', ''), ('(', 'incomplete', '    '),
            ('#!/bin/sh\n"', 'complete', '')]:
        assert sh.is_complete(code) == (status, indent), code
    assert not (sh.home / 'made').exists()
    assert sh.run('echo $?').out == b'1\n'


@pytest.mark.parametrize('message', [
    u32(0) + b'\x63\0\0\0', u32(1 << 30) + b'\1\0\0\0', u32(4) + b'\1\0\0\0' + u32(1),
    u32(9) + b'\2\0\0\0' + u32(0) + u32(0) + b'x', u32(0) + b'\2\1\0\0',
    u32(13) + b'\1\0\0\0' + u32(1) + b'\0' + u32(0) + u32(0),
    u32(12) + b'\2\0\0\0' + u32(1 << 31) + field(b'abcd'),
])
def test_violation_ends_the_worker(sh, message):
    sh.cells.sendall(message)
    assert os.waitstatus_to_exitcode(sh.wait(10)) == 70


def test_closed_channel_ends_the_worker():
    process = Worker('shell')
    assert os.waitstatus_to_exitcode(process.close()) == 0


def test_is_the_installed_bash():
    assert subprocess.run(['/bin/bash', '-c', 'echo ${BASH_VERSINFO[0]}'],
                          stdout=subprocess.PIPE).stdout == b'5\n'
