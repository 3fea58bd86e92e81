# SPDX-License-Identifier: Apache-2.0
"""Event loops: tasks that go on between cells, and asyncio.run() in cells beside them."""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reference_testing import compare
from harness import FINAL, INTERACTIVE, STALE_SIGINT

MAKE = ['asyncio.create_task(f())', 'asyncio.ensure_future(f())', 'asyncio.gather(f())',
        'asyncio.get_event_loop().create_task(f())', 'asyncio.get_running_loop().create_task(f())',
        'asyncio.create_task(asyncio.wait_for(f(), 5))']


@pytest.mark.parametrize('make', MAKE)
def test_task_of_a_cell_that_does_not_await(py, make):
    """It goes on while no cell runs: the file tells, which nobody's cell waits for."""
    py.run('import asyncio, os\nr, w = os.pipe()\n'
           'async def f():\n  await asyncio.sleep(0.01)\n  os.write(w, b"x")\n  return 5')
    path = f'/proc/{py.pid}/fd/' + py.run('r').value
    result = py.run('t = ' + make)
    assert result.exit == 0 and result.err == b'', result
    with open(path, 'rb') as pipe:
        assert pipe.read(1) == b'x'
    assert py.run('await t').value in ('5', '[5]')
    assert py.run('asyncio.run(f())').value == '5'


def test_first_step_is_part_of_the_cell(py):
    result = py.run('import asyncio\nasync def f():\n  print("begun")\n  await asyncio.sleep(0)\n  return 1\n'
                    't = asyncio.create_task(f())')
    assert result.out == b'begun\n'
    failed = py.run('async def g(): print("g")\nu = asyncio.create_task(g())\n1 / 0')
    assert failed.exit == 1 and failed.out == b'g\n'


def test_output_between_cells_belongs_to_the_last_cell(py):
    first = py.start('import asyncio, sys\nasync def f():\n  await asyncio.sleep(0.01)\n'
                     '  print("late"); sys.stdout.write("part")\nt = asyncio.create_task(f())')
    first.until(lambda result: result.exit is not None)
    first.until(lambda result: result.out == b'late\n')
    assert py.run('print("own")').out == b'own\n'
    assert first.finish(to_eof=True).out == b'late\npart'


def test_threads_print_between_cells(py):
    first = py.start('import threading\ngo = threading.Event()\n'
                     'def f(): go.wait(); print("from the thread")\n'
                     't = threading.Thread(target=f); t.start()\nthreading.Timer(0.05, go.set).start()')
    first.until(lambda result: result.out == b'from the thread\n')
    assert first.result.exit == 0
    assert py.run('t.join(); print("own")').out == b'own\n'


def test_server_answers_between_cells(py):
    py.run('import asyncio\nasync def serve(reader, writer):\n  writer.write(await reader.readline())\n  writer.close()\n'
           'server = await asyncio.start_unix_server(serve, "s")')
    import socket
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(py.home / 's'))
        client.sendall(b'hello\n')
        assert client.recv(100) == b'hello\n'
    assert py.run('1').value == '1'


def test_idle_session_with_a_waiting_task_sleeps(py):
    """No polling: between two cells the process is switched to a few times at most."""
    def switches():
        with open(f'/proc/{py.pid}/status') as status:
            return sum(int(line.split()[1]) for line in status if 'ctxt_switches' in line)

    py.run('import asyncio\nevent = asyncio.Event()\nt = asyncio.create_task(event.wait())')
    before = switches()
    for _ in range(20):
        py.complete('asyn')  # Answered while the loop waits.
    assert py.run('event.set(); t.done()').value == 'False'
    assert switches() - before < 400
    assert py.run('t.done(), t.result()').value == '(True, True)'


def test_cells_beside_a_loop_that_waits(py):
    py.run('import asyncio\nt = asyncio.create_task(asyncio.sleep(60))')
    for number in range(5):
        assert py.run(f'{number} + 1').value == str(number + 1)
    assert py.run('asyncio.run(asyncio.sleep(0, 3))').value == '3'
    assert py.run('loop = asyncio.new_event_loop()\nloop.run_until_complete(asyncio.sleep(0, 4))').value == '4'
    assert py.run('asyncio.get_event_loop().run_until_complete(asyncio.sleep(0, 5))').value == '5'
    assert py.run('await asyncio.sleep(0, 6)').value == '6'
    assert py.run('t.done()').value == 'False'
    assert py.run('t.cancel()\nawait asyncio.sleep(0)\nt.cancelled()').value == 'True'


def test_libraries_find_no_running_loop_in_a_cell_that_does_not_await(py):
    (py.home / 'lib.py').write_text('import asyncio\ndef call(f):\n  try:\n    asyncio.get_running_loop()\n'
                                    '  except RuntimeError: return asyncio.run(f())\n  return "in a loop"\n')
    py.run('import lib\nasync def f(): return 8')
    assert py.run('lib.call(f)').value == '8'
    assert py.run('import asyncio\nasync def g(): return lib.call(f)\nawait g()').value == "'in a loop'"


@pytest.mark.parametrize('code', [
    'import asyncio\nasync def f(): return 1\ntry: asyncio.create_task(f())\nexcept RuntimeError as e: print(e)',
    'import asyncio\ntry: asyncio.get_running_loop()\nexcept RuntimeError as e: print(e)',
    'import asyncio\nasync def f():\n  try: await asyncio.sleep(9)\n  finally: print("cancelled")\n'
    'async def main():\n  t = asyncio.create_task(f())\n  await asyncio.sleep(0)\nasyncio.run(main())',
    'import asyncio\nprint(asyncio.run(asyncio.sleep(0, 1)))\nprint(asyncio.run(asyncio.sleep(0, 2)))',
    'import threading, asyncio\ndef f():\n  try: asyncio.get_event_loop()\n  except RuntimeError as e: print(e)\n'
    't = threading.Thread(target=f); t.start(); t.join()',
])
def test_a_program_is_a_program(py, code):
    compare(py, code, flags=FINAL)


def test_tasks_of_a_program_end_with_it(py):
    result = py.run('import asyncio\nasync def f():\n  try: await asyncio.sleep(60)\n'
                    '  except asyncio.CancelledError: print("cancelled"); raise\n'
                    't = asyncio.create_task(f())\nawait asyncio.sleep(0)\nprint("end")', flags=FINAL)
    assert result.out == b'end\ncancelled\n' and result.exit == 0 and result.err == b''


def test_interrupt_of_an_awaiting_cell_leaves_the_other_tasks(py):
    py.run('import asyncio\nt = asyncio.create_task(asyncio.sleep(0.5, "kept"))')
    running = py.start('async def go(): await asyncio.sleep(0.01); print("go")\n'
                       'await asyncio.gather(go(), asyncio.sleep(60))', flags=STALE_SIGINT)
    running.until(lambda result: result.out == b'go\n')
    py.interrupt()
    result = py.nudge(running)
    assert result.exit == 130 and result.interrupted and b'await asyncio.gather' in result.err, result
    assert py.run('await t').value == "'kept'"


@pytest.mark.parametrize('code', [
    'await asyncio.sleep(0)\nprint("go")\nwhile True: pass',
    'async def f():\n  print("go")\n  while True: pass\nt = asyncio.create_task(f())\nawait t',
    'async def f():\n  print("go")\n  while True: pass\nt = asyncio.create_task(f())',
    'async def f():\n  print("go")\n  while True: pass\nasyncio.run(f())',
    'async def f():\n  print("go")\n  while True:\n    try: await asyncio.sleep(60)\n    except asyncio.CancelledError: break\nawait f()',
])
def test_interrupt_of_what_does_not_give_way(py, code):
    py.run('import asyncio\nkeep = 1')
    running = py.start(code, flags=STALE_SIGINT)
    running.until(lambda result: result.out == b'go\n')
    py.interrupt()
    result = py.nudge(running)
    assert not result.gone and b'glassbell' not in result.err, result
    assert result.exit == (0 if 'except' in code else 130)
    assert py.run('keep', flags=STALE_SIGINT).value == '1'


def test_task_that_does_not_give_way_between_cells(py):
    """The next cell is interrupted by its time-out, and the session goes on."""
    first = py.start('import asyncio\nasync def f():\n  await asyncio.sleep(0.01)\n  print("stuck")\n  while True: pass\n'
                     't = asyncio.create_task(f())')
    first.until(lambda result: result.out == b'stuck\n')
    second = py.start('print("never")')
    py.interrupt()
    result = py.nudge(second)
    assert result.exit == 130 and result.interrupted and not result.gone, result
    assert py.run('t.done()', flags=STALE_SIGINT).value == 'True'


def test_failing_task_between_cells_is_told(py):
    first = py.start('import asyncio, gc\nasync def f():\n  await asyncio.sleep(0.01)\n  1 / 0\n'
                     'asyncio.create_task(f(), name="mine"); None')
    first.until(lambda result: b'ZeroDivisionError' in result.err)
    assert b'glassbell' not in first.result.err and b"name='mine'" in first.result.err
    for code in ('raise SystemExit(3)', 'raise KeyboardInterrupt'):
        py.run(f'async def g():\n  await asyncio.sleep(0)\n  {code}\nu = asyncio.create_task(g())')
        assert py.run('1').value == '1'


def test_loop_that_the_user_closes_is_replaced(py):
    py.run('import asyncio\nt = asyncio.create_task(asyncio.sleep(0, 1))')
    assert py.run('asyncio.get_event_loop().close()').exit == 0
    assert py.run('u = asyncio.create_task(asyncio.sleep(0, 2))').exit == 0
    assert py.run('await u').value == '2'
    assert py.run('asyncio.get_event_loop().stop()').exit == 0
    assert py.run('await asyncio.sleep(0, 3)').value == '3'


def test_context_variables_last(py):
    py.run('import asyncio, contextvars\nv = contextvars.ContextVar("v", default=0)\nv.set(1)')
    assert py.run('await asyncio.sleep(0)\nv.set(v.get() + 1)\nv.get()').value == '2'
    assert py.run('v.get()').value == '2'
    assert py.run('v.set(3)\nawait asyncio.sleep(0, v.get())').value == '3'


def test_children_have_no_loop(py):
    result = py.run('import asyncio, os\nt = asyncio.create_task(asyncio.sleep(60))\nawait asyncio.sleep(0)\n'
                    'pid = os.fork()\nif pid == 0: print("child")\nelse: os.waitpid(pid, 0); print("parent")')
    assert result.out == b'child\nparent\n', result
    result = py.run('pid = os.fork()\nif pid == 0:\n  try: asyncio.create_task(asyncio.sleep(0))\n'
                    '  except RuntimeError: print("none")\n  os._exit(0)\n_ = os.waitpid(pid, 0)')
    assert result.out == b'' or result.out == b'none\n', result


def test_signal_between_cells_with_a_loop(py):
    py.run('import asyncio, signal\nt = asyncio.create_task(asyncio.sleep(60))\nseen = []\n'
           'signal.signal(signal.SIGUSR1, lambda *a: seen.append(1))\n'
           'def bad(*a): raise OSError\nsignal.signal(signal.SIGUSR2, bad)')
    os.kill(py.pid, signal.SIGUSR1)
    os.kill(py.pid, signal.SIGUSR2)
    assert py.run('t.done()').value == 'False'
    assert py.run('seen').value == '[1]'


def test_reading_in_a_cell_beside_tasks(py):
    py.run('import asyncio\nt = asyncio.create_task(asyncio.sleep(60))')
    running = py.start('input()', flags=INTERACTIVE)
    running.until(lambda result: result.waiting == [1])
    running.input(b'x\n')
    assert running.finish().value == "'x'"


AWAIT = 'await f(seen.append(0))'
# Called on the way to the first step of a cell: while the loop is made, and with the task made.
BEFORE = ['asyncio.events.new_event_loop', 'threading.current_thread']


@pytest.mark.parametrize('place', BEFORE)
@pytest.mark.parametrize('code', [AWAIT, 'x = 1\n' + AWAIT + '\nx = 2', 'for i in range(2):\n  ' + AWAIT])
def test_interrupt_before_the_first_step(py, place, code):
    """The place is the user's, and what was interrupted is not run by a later cell either."""
    py.run('import asyncio, functools, signal, threading\nseen = []\nasync def f(_): seen.append(1)\n'
           f'kept, {place} = {place}, functools.partial(signal.raise_signal, signal.SIGINT)')
    result = py.run(code)
    assert result.exit == 130 and result.interrupted, result
    assert b'<cell 2>", line 1' in result.err and result.err.endswith(b'KeyboardInterrupt\n'), result
    assert b'asyncio' not in result.err and b'never awaited' not in result.err, result
    py.run(f'{place} = kept')
    assert py.run('await asyncio.sleep(0.01)\nseen').value == '[]'
    result = py.run(code)
    assert result.exit == 0 and result.err == b'', result
    assert py.run('seen').value in ('[0, 1]', '[0, 1, 0, 1]')


def test_no_loop_can_be_made(py):
    py.run("import asyncio, functools, socket\n"
           "kept, socket.socketpair = socket.socketpair, functools.partial(open, '/missing')")
    result = py.run('print(1)\nawait asyncio.sleep(0, 7)')
    assert result.exit == 1 and b'<cell 2>", line 2' in result.err and b'FileNotFoundError' in result.err, result
    py.run('socket.socketpair = kept')
    assert py.run('await asyncio.sleep(0, 7)').value == '7'
