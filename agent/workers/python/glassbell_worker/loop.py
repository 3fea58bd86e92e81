# SPDX-License-Identifier: Apache-2.0
"""The event loop of the session: one, kept across cells, whose tasks go on between them.

A cell that awaits runs on it.  A cell that does not runs beside it: asyncio.run() and
run_until_complete() work as in any program, while what only needs a loop to put a task onto
(create_task, gather, get_event_loop; get_running_loop where a cell calls it itself) finds this one.
When a cell is over its loop turns once, and from then on it runs until the agent says something:
without timers that costs nothing, since it waits for the channel as well.  For a
program (a file, or the last cell of its session) nothing of the sort holds: its tasks end as with
asyncio.run().
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

from _functools import partial
from sys import _getframe as getframe
from _signal import SIG_BLOCK, SIG_SETMASK, SIGINT, pthread_sigmask
from types import TracebackType

from . import (
    MAIN_THREAD, NAMESPACE, builtin, get_ident, is_child, is_new_coroutine, native, state)

NO_LOOP = 'no running event loop'


def make_loop(asyncio, runner):
    """A loop that an interrupt leaves half made complains later; but the user's own way to make one
    may take for ever."""
    is_ours = type(asyncio.get_event_loop_policy()).__module__ == 'asyncio.unix_events'
    kept = pthread_sigmask(SIG_BLOCK, [SIGINT] if is_ours else [])
    try:
        runner.get_loop()
    finally:
        pthread_sigmask(SIG_SETMASK, kept)


def session_loop():
    import asyncio
    if state.runner is None or state.runner.get_loop().is_closed():
        runner = asyncio.Runner()
        make_loop(asyncio, runner)
        state.runner = runner  # One that has its loop: there may be none to be had.
    return state.runner.get_loop()


def run_on_loop(coroutine, line):
    """Runs a coroutine of a cell, which begins in that line; gives (value, error)."""
    state.turned = None
    try:
        import asyncio
        asyncio.set_event_loop(session_loop())
        outcome = yield partial(state.runner.run, coroutine, context=state.context),
    except BaseException as raised:
        outcome = None, raised
    state.turned = None
    if outcome[1] is not None and is_new_coroutine(coroutine):
        return None, (yield from end_at_its_start(coroutine, line, outcome[1]))
    return outcome


def end_at_its_start(coroutine, line, error):
    """Raises in a coroutine what came before its first step, so that it is never run; gives the error.

    An interrupt may come while the loop is made, or the task: the place is the user's, not in there.
    """
    frame = coroutine.cr_frame
    if isinstance(error, KeyboardInterrupt):
        error.__traceback__ = None
    if state.runner is not None:
        import asyncio
        loop = state.runner.get_loop()
        for task in asyncio.all_tasks(loop):
            if task.get_coro() is coroutine:
                task.cancel()
                yield loop.run_until_complete, task
    coroutine.close()
    error.__traceback__ = TracebackType(error.__traceback__, frame, -1, line)
    return error


def is_stuck(handler):
    """Whether the loop of this handler has not turned since a SIGINT that it made a cancellation of.

    Asked again and again; the first time it only puts a mark onto the loop.
    """
    runner = getattr(handler.func, '__self__', None)
    if not getattr(runner, '_interrupt_count', 0):
        return False
    if state.turned is None or state.turned[0] is not runner:
        state.turned = [runner, False]
        runner.get_loop().call_soon_threadsafe(partial(state.turned.__setitem__, 1, True))
        return False
    return not state.turned[1]


def is_busy():
    """Whether there is anything that the loop would do, or wait for."""
    import asyncio
    loop = state.runner.get_loop()
    if loop.is_closed():
        return False
    try:
        return bool(loop._ready or loop._scheduled or loop._stopping
                    or len(loop._selector.get_map()) > 1 or asyncio.all_tasks(loop))
    except AttributeError:
        return True  # Another kind of loop.


def turn():
    """Lets what a cell has begun do its first step, as part of the cell; gives an error."""
    if is_child() or not is_busy():
        return None
    loop = state.runner.get_loop()
    loop.call_soon(loop.stop)
    _, error = yield loop.run_forever,
    return error


def idle():
    """Runs the loop until there is a message."""
    while is_busy() and not native.arrived():
        loop = state.runner.get_loop()
        try:
            loop.add_reader(state.channel, loop.stop)
        except Exception:
            return  # Taken apart by the user: the tasks stand still.
        state.idling = True
        _, error = yield loop.run_forever,
        state.idling = False
        if not loop.is_closed():
            loop.remove_reader(state.channel)
        if isinstance(error, Exception):
            return


def is_wanted():
    return not state.is_program and get_ident() == MAIN_THREAD and not is_child()


def found_by_asyncio():
    """Instead of events.get_running_loop(), where no loop runs."""
    if not is_wanted():
        yield None, RuntimeError(NO_LOOP)
    return session_loop()


def found_by_cell():
    """Instead of asyncio.get_running_loop(): libraries ask it whether they may wait."""
    if not is_wanted() or getframe(1).f_globals is not NAMESPACE:
        yield None, RuntimeError(NO_LOOP)
    return session_loop()


def on_asyncio(asyncio):
    running = asyncio.events.get_running_loop
    asyncio.events.get_running_loop = native.either(
        running, builtin(found_by_asyncio, 'get_running_loop'), 'get_running_loop', '_asyncio')
    asyncio.get_running_loop = native.either(
        running, builtin(found_by_cell, 'get_running_loop'), 'get_running_loop', '_asyncio')
    policy = asyncio.get_event_loop_policy()
    get_event_loop = policy.get_event_loop

    def current_loop():
        if policy._local._loop is None and is_wanted():
            policy.set_event_loop(session_loop())
        loop, error = yield get_event_loop,
        if error is not None:
            yield None, error
        return loop

    policy.get_event_loop = builtin(current_loop, 'get_event_loop')
