"""Shows exceptions as the interpreter does, without our frames and with the cells' own lines."""

import sys
import traceback

from . import EXCEPTHOOK, new_output, is_open, state

HERE = __file__.rpartition('/')[0] + '/'
SUGGESTING = (AttributeError, ImportError, NameError)


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
    """The interpreter's own "Did you mean", which only its C code knows how to make."""
    from io import StringIO
    kept = sys.stderr, error.__cause__, error.__context__, error.__suppress_context__
    trace = error.__traceback__
    sys.stderr = text = StringIO()
    try:
        error.__cause__ = error.__context__ = None
        EXCEPTHOOK(type(error), error, None)
    finally:
        sys.stderr, error.__cause__, error.__context__, error.__suppress_context__ = kept
        error.__traceback__ = trace
    lines = text.getvalue().splitlines(True)
    return lines[-1] if lines else ''


def show_plain(kind, error, trace):
    lines = list(traceback.TracebackException(kind, error, trace, compact=True).format())
    if isinstance(error, SUGGESTING) and lines:
        better = suggestion(error)
        if better.startswith(lines[-1].rstrip('\n')):
            lines[-1] = better
    stream = sys.stderr
    if not is_open(stream):
        stream = new_output(2)
    stream.write(''.join(lines))
    stream.flush()


def complete_syntax_error(error):
    """Errors that the compiler finds after parsing come without the line they are about."""
    text = state.sources.get(error.filename)
    if error.text is None and text is not None and error.lineno:
        from .hooks import lines_of
        lines = lines_of(text)
        if error.lineno <= len(lines):
            error.text = lines[error.lineno - 1]


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
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if sys.excepthook is not EXCEPTHOOK:
        sys.excepthook(kind, error, trace)
    else:
        show_plain(kind, error, trace)
