# SPDX-License-Identifier: Apache-2.0
"""Shows exceptions as the interpreter does, without our frames and with the cells' own lines."""

from . import __builtins__  # noqa: F401  # the originals, as in there

import sys
import traceback
import warnings
from _functools import partial
from _operator import call

from . import (COROUTINE, EXCEPTHOOK, MISSING, NAMESPACE, is_new_coroutine, is_open, methodcaller,
               new_output, state)

HERE = __file__.rpartition('/')[0] + '/'
SUGGESTING = (AttributeError, ImportError, NameError)
LAST = ('last_type', 'last_value', 'last_traceback', 'last_exc')
KNOWS_MORE = sys.version_info >= (3, 12)  # The traceback module makes suggestions and colours itself.


def user_part(trace):
    """The traceback from the first frame of a cell on (without any, all of it), less ours."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    names = [frame.tb_frame.f_code.co_filename for frame in frames]
    start = next((n for n, name in enumerate(names) if name.startswith('<cell ')), 0)
    kept = [frame for frame, name in zip(frames[start:], names[start:])
            if not name.startswith(HERE)]
    for frame, following in zip(kept, kept[1:] + [None]):
        frame.tb_next = following
    return kept[0] if kept else None


def suggestion(error):
    """The interpreter's own "Did you mean", which before 3.12 only its C code knows how to make."""
    from io import StringIO
    stderr = sys.__dict__.get('stderr')
    kept = error.__cause__, error.__context__, error.__suppress_context__
    trace = error.__traceback__
    sys.stderr = text = StringIO()
    try:
        error.__cause__ = error.__context__ = None
        yield EXCEPTHOOK, type(error), error, None
    finally:
        error.__cause__, error.__context__, error.__suppress_context__ = kept
        sys.stderr = stderr  # None: what it was, or as good
        error.__traceback__ = trace
    lines = text.getvalue().splitlines(True)
    return lines[-1] if lines else ''


def write(text):
    """Onto sys.stderr, or where that takes nothing, onto descriptor 2."""
    stream = sys.__dict__.get('stderr')
    if (yield from is_open(stream)):
        _, error = yield methodcaller('write', text), stream
        if error is None:
            yield methodcaller('flush'), stream
            return
    stream = new_output(2)
    stream.write(text)
    stream.flush()


def lines_of_error(error, is_unraisable=False):
    made, broken = yield partial(traceback.TracebackException.from_exception, error, compact=True),
    options = {'chain': not is_unraisable}
    if broken is None and is_unraisable and sys.version_info >= (3, 13):
        for frame in made.stack:
            frame.colno = frame.end_colno = None  # The interpreter marks no places here.
    if broken is None and KNOWS_MORE and hasattr(traceback, '_colorize'):
        colours, _ = yield traceback._colorize.can_colorize,
        if colours:
            options['colorize'] = True
    if broken is None:
        lines, broken = yield list, made.format(**options)
    return lines if broken is None else [f'{type(error).__name__}\n']


def show_plain(error):
    lines = yield from lines_of_error(error)
    if not KNOWS_MORE and isinstance(error, SUGGESTING) and lines:
        better = yield from suggestion(error)
        if better.startswith(lines[-1].rstrip('\n')):
            lines[-1] = better
    yield from write(''.join(lines))


def complete_syntax_error(error):
    """Errors that the compiler finds after parsing come without the line they are about."""
    text = state.sources.get(error.filename)
    if error.text is None and text is not None and error.lineno:
        from .hooks import lines_of
        lines = lines_of(text)
        if error.lineno <= len(lines):
            error.text = lines[error.lineno - 1]


def warn_of_coroutines(trace):
    """Coroutines that were made for a call that failed, and that nobody will await any more.

    The traceback keeps them until the next one takes its place, in another cell.
    """
    found = {}
    place = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals is NAMESPACE or place is None:
            place = frame.f_code.co_filename, trace.tb_lineno
        if frame.f_globals is not frame.f_locals:
            for value in frame.f_locals.values():
                if type(value) is COROUTINE and is_new_coroutine(value):
                    found.setdefault(id(value), [value, 0, place])[1] += 1
        trace = trace.tb_next
    frame = None
    for value, holders, (name, line) in found.values():
        # Known: the list, the loop, the argument; the frame, and before 3.13 what f_locals made.
        if sys.getrefcount(value) > 3 + holders * (1 if sys.version_info >= (3, 13) else 2):
            continue
        registry = NAMESPACE.setdefault('__warningregistry__', {})
        yield partial(warnings.warn_explicit, f"coroutine '{value.__qualname__}' was never awaited",
                      RuntimeWarning, name, line, '__main__', registry, source=value),
        value.close()


def forget():
    for name in LAST:
        sys.__dict__.pop(name, None)


def show(kind, error, trace):
    trace = user_part(trace)
    context = error.__context__
    if kind is KeyboardInterrupt and context is not None and (
            type(context).__name__ == 'CancelledError'):
        # The event loop turned SIGINT into a cancellation: the place is in there.
        trace = user_part(context.__traceback__)
        error.__context__ = None
    error.__traceback__ = trace
    if isinstance(error, SyntaxError):
        complete_syntax_error(error)
    yield forget,
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if KNOWS_MORE:
        sys.last_exc = error
    hook = sys.__dict__.get('excepthook', MISSING)
    if hook is MISSING:
        yield from write('sys.excepthook is missing\n')
        hook = EXCEPTHOOK
    if hook is not EXCEPTHOOK:
        _, broken = yield call, hook, kind, error, trace
        if broken is not None:
            yield from write('Error in sys.excepthook:\n')
            yield from show_plain(broken)
            yield from write('\nOriginal exception was:\n')
    if hook is EXCEPTHOOK or broken is not None:
        yield from show_plain(error)
    yield from warn_of_coroutines(trace)


def show_unraisable(unraisable):
    """What sys.unraisablehook shows, with the cells' own lines."""
    start = unraisable.err_msg
    if unraisable.object is not None:
        name, broken = yield repr, unraisable.object
        name = name if broken is None else '<object repr() failed>'
        start = f'{start or "Exception ignored in"}: {name}\n'
    elif start:
        start += ':\n'
    error = unraisable.exc_value
    lines = [] if error is None else (yield from lines_of_error(error, True))
    yield from write((start or '') + ''.join(lines))
