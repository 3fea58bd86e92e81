# SPDX-License-Identifier: Apache-2.0
"""Describes the name at the end of a text: its kind, its parameters, the first line of its
documentation.

Like completion this runs no code of the user's: `inspect` would ask for __signature__, evaluate
annotations and call __repr__ of defaults, so parameters come from the code object itself.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import re
from keyword import iskeyword
from sys import modules as LOADED
from types import (BuiltinFunctionType, FunctionType, GetSetDescriptorType, MethodDescriptorType,
                   MethodType, ModuleType, WrapperDescriptorType)

from .complete import (CHAIN, IMPORT, IMPORT_FROM, LINE_MAX, MISSING, attribute, class_dicts,
                       in_string, is_one_of, kind_of, lookup, own_dict)

PART_MAX = 1000  # bytes
LOOKED_AT = 8000  # characters of a documentation
WRAPPERS_MAX = 10
DEFAULT_MAX = 40
TEXT_SIGNATURES = (BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)
CONSTANTS = (type(None), bool, float, complex, type(...))
CONTAINERS = {tuple: '()', list: '[]', dict: '{}', set: 'set()', frozenset: 'frozenset()'}
VARARGS, VARKEYWORDS = 4, 8
LINES_MAX = 20
CALL_LINE = re.compile(r'[\w.]{1,100}(\([^\n]{0,300}?\)(?: ?-> ?[^.\n]{0,100})?)(?:\.\s+(.*)|$)')
BOUND = re.compile(r'^\(\$\w+(, /)?(, )?')
NOTHING = '', '', ''


def default_text(value):
    """A default as it is written, if that is known without asking it."""
    kind = type(value)
    if is_one_of(kind, CONSTANTS) or (kind is int and value.bit_length() < 64):
        return repr(value)
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= DEFAULT_MAX else repr(value[:DEFAULT_MAX]) + '…'
    if is_one_of(kind, CONTAINERS) and not value:
        return CONTAINERS[kind]
    if is_one_of(kind, (FunctionType, BuiltinFunctionType, type)):
        name = value.__name__
        return name if type(name) is str else '…'
    return '…'


def parameters(function, bound):
    """The parameters of a function of Python's; the first is left out if it is bound."""
    code = function.__code__
    names = list(code.co_varnames)
    count, positional_only, only_named = (
        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    # These two, and names, may be of classes of the user's.
    defaults, named_defaults = function.__defaults__, function.__kwdefaults__
    defaults = () if defaults is None else tuple.__getitem__(defaults, slice(None))
    named_defaults = {} if named_defaults is None else named_defaults
    shown = []
    for at, name in enumerate(names[:count]):
        if at == 0 and bound:
            continue
        default = at - (count - len(defaults))
        shown.append(f'{name}={default_text(defaults[default])}' if default >= 0 else name)
        if at + 1 == positional_only:
            shown.append('/')
    rest = count + only_named
    if code.co_flags & VARARGS:
        shown.append('*' + names[rest])
        rest += 1
    elif only_named:
        shown.append('*')
    for name in names[count:count + only_named]:
        default = dict.get(named_defaults, name, MISSING)
        shown.append(name if default is MISSING else f'{name}={default_text(default)}')
    if code.co_flags & VARKEYWORDS:
        shown.append('**' + names[rest])
    return '(' + ', '.join(shown) + ')'


def unwrapped(value):
    """What functools.wraps() says that the function stands for."""
    for _ in range(WRAPPERS_MAX):
        own = own_dict(value)
        inner = own.get('__wrapped__') if type(own) is dict else None
        if type(inner) is not FunctionType:
            break
        value = inner
    return value


def text_signature(value):
    """Of what is written in C: the text in its documentation."""
    kind = type if issubclass(type(value), type) else type(value)
    for members in class_dicts(kind):
        if '__text_signature__' in members:
            text = members['__text_signature__'].__get__(value)
            return BOUND.sub('(', text) if type(text) is str else ''
    return ''


def signature_of_class(cls):
    for base in type.__getattribute__(cls, '__mro__'):
        if base is object:
            break
        members = class_dicts(base)[0]
        for name in ('__init__', '__new__'):
            made = members.get(name)
            if type(made) is staticmethod:
                made = made.__func__
            if type(made) is FunctionType:
                return parameters(unwrapped(made), True)
        if '__init__' in members or '__new__' in members:
            return text_signature(base)
    return '()'


def signature_of(value, bound):
    if issubclass(type(value), type):
        return signature_of_class(value)
    if type(value) is MethodType:
        value, bound = value.__func__, True
    inner = unwrapped(value)
    if type(inner) is FunctionType:
        return parameters(inner, bound)
    return text_signature(value) if is_one_of(type(value), TEXT_SIGNATURES) else ''


def documentation(value):
    if type(value) is property:
        text = property.__dict__['__doc__'].__get__(value)
    elif type(value) is MethodType:
        text = attribute(value.__func__, '__doc__')
    elif issubclass(type(value), (ModuleType, type)):
        text = own_dict(value).get('__doc__') if issubclass(type(value), ModuleType) else (
            class_dicts(value)[0].get('__doc__'))
    elif kind_of(value) == 'function':
        text = attribute(value, '__doc__')
    elif type(class_attribute(value, '__doc__')) is GetSetDescriptorType:
        text = attribute(value, '__doc__')  # as numpy's functions have it
    else:  # an instance's own, not what its class says
        own = own_dict(value)
        text = own.get('__doc__') if type(own) is dict else None
    return text[:LOOKED_AT].strip() if type(text) is str else ''


def class_attribute(owner, name):
    """A property or the like, which lookup() does not touch."""
    cls = owner if issubclass(type(owner), type) else type(owner)
    return next((members[name] for members in class_dicts(cls) if name in members), MISSING)


def named(text):
    """The object at the end of the text, and whether its first parameter is filled in."""
    line = text.rpartition('\n')[2]
    if len(line) > LINE_MAX:
        return MISSING, False
    statement = line.rpartition(';')[2]
    found = IMPORT.match(statement)
    if found is not None:
        return LOADED.get(found[1], MISSING), False
    found = IMPORT_FROM.match(statement)
    if found is not None:
        module = LOADED.get(found[1])
        value = MISSING if module is None else own_dict(module).get(found[2], MISSING)
        return LOADED.get(f'{found[1]}.{found[2]}', MISSING) if value is MISSING else value, False
    if in_string(line) is not None:
        return MISSING, False
    chain, name = CHAIN.search(line).groups()
    before = line[:len(line) - len(chain) - len(name)].rstrip()
    if not name or before.endswith('.') or (not chain and iskeyword(name) and
                                            name not in ('None', 'True', 'False')):
        return MISSING, False
    if not chain:
        return lookup(name), False
    owner = lookup(chain)
    if owner is MISSING:
        return MISSING, False
    value = attribute(owner, name)
    found = MISSING if issubclass(type(owner), ModuleType) else class_attribute(owner, name)
    if value is MISSING:
        return found if type(found) is property else MISSING, False
    is_class = issubclass(type(owner), type)
    own = own_dict(owner)
    bound = type(found) is classmethod or (
        not is_class and type(found) is FunctionType and not (type(own) is dict and name in own))
    return value, bound


def cut(text):
    """At most PART_MAX bytes on one line."""
    data = ' '.join(text[:LOOKED_AT].split()).encode('utf-8', 'replace')
    return data if len(data) <= PART_MAX else (
        data[:PART_MAX].decode('utf-8', 'ignore') + '…').encode()


def described(text):
    value, bound = named(text)
    if value is MISSING:
        return NOTHING
    kind = kind_of(value)
    shown = signature_of(value, bound)
    first = ''
    for line in documentation(value).split('\n')[:LINES_MAX]:
        # Documentation of C functions without a signature often begins with one, or several.
        call = CALL_LINE.match(line) if kind != 'module' else None
        if call is not None:
            shown, line = shown or call[1], call[2] or ''
        first = line.strip()
        if first:
            break
    return kind, shown, first


def description(text):
    """Kind, signature and first line of documentation, encoded; all empty if nothing is known."""
    try:
        return [cut(part) for part in described(text)]
    except Exception:
        return [b'', b'', b'']  # An object of the user's that breaks even careful looks.
