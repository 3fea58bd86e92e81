# SPDX-License-Identifier: Apache-2.0
"""Functions of cells in processes that were not forked from the session."""

import pytest


@pytest.mark.parametrize('method', ['spawn', 'forkserver'])
@pytest.mark.parametrize('call', [
    'with context.Pool(2) as p: p.map(f, [1])', 'context.Process(target=f, args=(1,)).start()',
    'with context.Pool(1) as p: p.map(len, [C()])',
    'from concurrent.futures import ProcessPoolExecutor\n'
    'with ProcessPoolExecutor(1, mp_context=context) as e: e.submit(f, 1).result()',
])
def test_function_of_a_cell_in_a_process_that_is_not_forked(py, method, call):
    py.run(f'import multiprocessing\ndef f(x): return x\nclass C:\n  def __len__(self): return 1\n'
           f'context = multiprocessing.get_context({method!r})')
    result = py.start(call).finish(60)
    assert result.exit == 1 and b'PicklingError' in result.err and b'defined in a cell' in result.err, result
    assert b'glassbell' not in result.err


def test_functions_of_modules_in_processes_that_are_not_forked(py):
    (py.home / 'work.py').write_text('def double(n): return 2 * n\n')
    result = py.start('import multiprocessing, work, math\nwith multiprocessing.get_context("spawn").Pool(2) as p:\n'
                      '  print(p.map(work.double, [1, 2]), p.map(math.sqrt, [4]))').finish(60)
    assert result.out == b'[2, 4] [2.0]\n' and result.err == b'', result
    forked = py.run('def f(x): return x + 1\nwith multiprocessing.get_context("fork").Pool(2) as p: print(p.map(f, [1]))')
    assert forked.out == b'[2]\n', forked
