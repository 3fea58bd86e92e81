# SPDX-License-Identifier: Apache-2.0
"""What is done once, before a template is made of this process, and then costs no session anything:
modules that most sessions need, and the image's own warm-up, which is code in a namespace of its
own.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import ast  # noqa: F401  # which tracebacks are made with
import gc

WARM = '/usr/share/glassbell/warm'


def prepare():
    from . import (MAIN, NAMESPACE, complete, describe, display, ending, native,  # noqa: F401
                   program, report)
    try:
        with open(WARM, encoding='utf-8') as file:
            code = file.read()
    except FileNotFoundError:
        code = ''
    _, error = yield exec, compile(code, WARM, 'exec'), {'__name__': 'warm'}
    if error is not None:
        # A session can do all the same what could not be done ahead; who builds images sees it.
        yield from report.show(type(error), error, error.__traceback__)
        report.forget()
    error = None
    gc.collect()
    # What is there now is not looked at again, so that clones go on sharing the memory it lies in.
    ending.remember()
    gc.freeze()
    native.thaw(NAMESPACE, MAIN)  # the program's
