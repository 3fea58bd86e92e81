# SPDX-License-Identifier: Apache-2.0
"""Answers questions on the query channel: completion, what a name is, and whether a text is a
whole cell.

Runs in the helper thread while a cell may be running.  It looks at objects without calling any
code of theirs: attributes come from the dictionaries of the object and of its classes, properties
and other computed attributes end a chain.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import builtins
import keyword
import os
import re
from sys import builtin_module_names, modules as LOADED, stdlib_module_names
from types import (BuiltinFunctionType, FunctionType, GetSetDescriptorType, MappingProxyType,
                   MemberDescriptorType, MethodDescriptorType, MethodType, ModuleType,
                   WrapperDescriptorType)

from . import (FUTURE_FLAGS, NAMESPACE, ONLY_AST, TOP_LEVEL_AWAIT, Fields, Violation, field, state,
               u32)
from .program import search_path

COMPLETE, COMPLETIONS, IS_COMPLETE, COMPLETENESS, DESCRIBE, DESCRIPTION = range(16, 22)
MATCHES_MAX = 500
NAMES_MAX = 20000
LINE_MAX = 2000  # patterns take the square of its length, and all of Python waits
WHOLE, INCOMPLETE, INVALID = range(3)
ALLOW_INCOMPLETE = 0x4000
DONT_IMPLY_DEDENT = 0x200

NAME = r'[^\W\d]\w*'
CHAIN = re.compile(rf'((?:{NAME}\s*\.\s*)*)((?:{NAME})?)$')
IMPORT = re.compile(r'^\s*(?:import\s+(?:[\w.\s]+,)*\s*|from\s+)([\w.]*)$')
IMPORT_FROM = re.compile(rf'^\s*from\s+([\w.]+)\s+import\s+\(?(?:[\w\s,]*[,\s])?((?:{NAME})?)$')
KEY = re.compile(rf'((?:{NAME}\s*\.\s*)*{NAME})\s*\[\s*(["\'])([^"\'\\\n]*)$')
PATH_STRING = re.compile(r'(?<![\w])[rbu]?(["\'])([^"\'\\\n]*)$')
CALL = re.compile(rf'((?:{NAME}\s*\.\s*)*{NAME})\s*\(([^()]*)$')
FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, MethodDescriptorType,
             WrapperDescriptorType, staticmethod, classmethod)
SAFE_DESCRIPTORS = (GetSetDescriptorType, MemberDescriptorType)
MISSING = object()


def is_one_of(kind, kinds):
    """Whether a class is one of these: `in` would ask its metaclass."""
    return any(kind is one for one in kinds)


def kind_of(value):
    if isinstance(type(value), type) and issubclass(type(value), type):
        return 'class'
    if issubclass(type(value), FUNCTIONS):
        return 'function'
    if issubclass(type(value), ModuleType):
        return 'module'
    return 'instance'


def own_dict(value):
    """The instance's dictionary, found without asking the instance."""
    get = type.__getattribute__
    for base in get(type(value), '__mro__'):
        found = get(base, '__dict__').get('__dict__')
        if found is not None:
            if not is_one_of(type(found), SAFE_DESCRIPTORS):
                return {}
            break
    try:
        own = object.__getattribute__(value, '__dict__')
    except Exception:
        return {}
    # Others have methods of their own.
    return own if is_one_of(type(own), (dict, MappingProxyType)) else {}


def class_dicts(cls):
    get = type.__getattribute__
    return [get(base, '__dict__') for base in get(cls, '__mro__')]


def is_descriptor(value):
    """Whether its class says how it is read, found without asking the class."""
    return any('__get__' in members for members in class_dicts(type(value)))


def attribute(value, name):
    """The attribute if it can be had without running code, else MISSING."""
    if issubclass(type(value), type):
        dicts = class_dicts(value)
    elif issubclass(type(value), ModuleType):
        return own_dict(value).get(name, MISSING)
    else:
        for names in class_dicts(type(value)):
            found = names.get(name, MISSING)
            if found is MISSING:
                continue
            if is_one_of(type(found), SAFE_DESCRIPTORS):
                try:
                    return found.__get__(value)
                except Exception:
                    return MISSING
            if not issubclass(type(found), FUNCTIONS) and is_descriptor(found):
                return MISSING
            break
        own = own_dict(value)
        if type(own) is dict and name in own:
            return own[name]
        dicts = class_dicts(type(value))
    for names in dicts:
        found = names.get(name, MISSING)
        if found is not MISSING:
            if is_one_of(type(found), (staticmethod, classmethod)):
                return found.__func__
            if is_descriptor(found) and not issubclass(type(found), FUNCTIONS):
                return MISSING
            return found
    return MISSING


def attribute_names(value):
    names = set()
    if issubclass(type(value), ModuleType):
        names.update(own_dict(value))
    else:
        own = own_dict(value)
        if type(own) is dict:
            names.update(own)
        classes = [type(value)]
        if issubclass(type(value), type):
            classes = [value]
        for cls in classes:
            for members in class_dicts(cls):
                names.update(members)
    return [name for name in list(names)[:NAMES_MAX] if type(name) is str]


def lookup(chain):
    """The object that `a.b.c` names, or MISSING."""
    parts = [part.strip() for part in chain.strip().rstrip('.').split('.')]
    value = NAMESPACE.get(parts[0], MISSING)
    if value is MISSING:
        value = builtins.__dict__.get(parts[0], MISSING)
    for part in parts[1:]:
        if value is MISSING:
            break
        value = attribute(value, part)
    return value


def visible(names, prefix):
    """Names that start with the prefix; those with underscores only when asked for."""
    shown = [name for name in names if name.startswith(prefix)]
    if not prefix:
        shown = [name for name in shown if not name.startswith('_')]
    elif prefix == '_':
        shown = [name for name in shown if not name.startswith('__')]
    return sorted(shown)


def attributes(chain, prefix):
    value = lookup(chain)
    if value is MISSING:
        return []
    matches = []
    for name in visible(attribute_names(value), prefix):
        found = attribute(value, name)
        matches.append((name, 'instance' if found is MISSING else kind_of(found)))
    return matches


def names_in_scope(prefix):
    found = {}
    for name in keyword.kwlist + keyword.softkwlist:
        if name != '_':
            found[name] = 'keyword'
    for scope in (builtins.__dict__, NAMESPACE):
        for name, value in scope.copy().items():
            if type(name) is str and name not in keyword.kwlist:
                found[name] = kind_of(value)
    return [(name, found[name]) for name in visible(found, prefix)]


def argument_names(before, prefix):
    """Keyword arguments of the call that the cursor is in."""
    call = CALL.search(before)
    if call is None or not re.search(rf'(^|,)\s*(?:{NAME})?$', call[2]):
        return []
    function = lookup(call[1])
    if issubclass(type(function), type):
        function = attribute(function, '__init__')
    if type(function) is MethodType:
        function = function.__func__
    if type(function) is not FunctionType:
        return []
    code = function.__code__
    names = code.co_varnames[code.co_posonlyargcount:code.co_argcount + code.co_kwonlyargcount]
    return [(name + '=', 'instance') for name in names
            if name.startswith(prefix) and name not in ('self', 'cls')]


def module_files(folders):
    found = set()
    for folder in folders:
        try:
            entries = os.listdir(folder or '.')
        except OSError:
            continue
        for entry in entries[:NAMES_MAX]:
            name, dot, _ = entry.partition('.')
            if not name.isidentifier() or name == '__pycache__':
                continue
            if entry.endswith(('.py', '.so')) or (
                    not dot and os.path.isdir(os.path.join(folder or '.', entry))):
                found.add(name)
    return found


def modules(path):
    """Modules whose dotted name starts with `path`, as (last part, type)."""
    parent, _, prefix = path.rpartition('.')
    if not parent:
        names = set(stdlib_module_names) | set(builtin_module_names)
        names |= module_files([folder for folder in search_path() if type(folder) is str])
        return [(name, 'module') for name in visible(names, prefix)]
    module = LOADED.get(parent)
    if module is None:
        folders = list(search_path())
        for part in parent.split('.'):
            folders = [os.path.join(folder, part) for folder in folders if type(folder) is str]
        return [(name, 'module') for name in visible(module_files(folders), prefix)]
    names = {name.rpartition('.')[2] for name in list(LOADED)
             if name.rpartition('.')[0] == parent}
    folders = own_dict(module).get('__path__', ())
    names |= module_files([folder for folder in list(folders) if type(folder) is str])
    return [(name, 'module') for name in visible(names - {'__init__'}, prefix)]


def module_members(name, prefix):
    members = dict(modules(name + '.' + prefix))
    module = LOADED.get(name)
    if module is not None:
        for member in visible(attribute_names(module), prefix):
            members[member] = kind_of(own_dict(module).get(member))
    return sorted(members.items())


def keys(chain, quote, prefix):
    value = lookup(chain)
    if not issubclass(type(value), dict):
        return []
    matches = []
    for key in list(dict.keys(value))[:NAMES_MAX]:
        if type(key) is str and key.startswith(prefix) and key.isprintable() and (
                quote not in key and '\\' not in key):
            matches.append((key, 'instance'))
    return sorted(matches)


def paths(prefix):
    folder, slash, start = prefix.rpartition('/')
    place = os.path.expanduser(folder + slash) if folder or slash else '.'
    matches = []
    try:
        with os.scandir(place) as entries:
            for entry, _ in zip(entries, range(NAMES_MAX)):
                if entry.name.startswith(start) and (start or not entry.name.startswith('.')) and (
                        entry.name.isprintable()):
                    matches.append((entry.name + '/' * entry.is_dir(), 'path'))
    except OSError:
        return start, []
    return start, sorted(matches)


def in_string(line):
    """The quote that is open at the end of a line, or None."""
    quote = None
    at = 0
    while at < len(line):
        char = line[at]
        if quote is None:
            if char == '#':
                return None
            if char in '"\'':
                quote = char
        elif char == '\\':
            at += 1
        elif char == quote:
            quote = None
        at += 1
    return quote


def complete(text):
    """Completes at the end of `text`; returns what is to be replaced and the matches."""
    line = text.rpartition('\n')[2]
    if len(line) > LINE_MAX:
        return '', []
    if in_string(line) is not None:
        key = KEY.search(line)
        if key is not None:
            matches = keys(key[1], key[2], key[3])
            if matches:
                return key[3], matches
        string = PATH_STRING.search(line)
        return paths(string[2]) if string is not None else ('', [])
    statement = line.rpartition(';')[2]
    found = IMPORT.match(statement)
    if found is not None:
        return found[1].rpartition('.')[2], modules(found[1])
    found = IMPORT_FROM.match(statement)
    if found is not None:
        return found[2], module_members(found[1], found[2])
    chain, prefix = CHAIN.search(line).groups()
    before = line[:len(line) - len(chain) - len(prefix)].rstrip()
    if chain:
        return prefix, [] if before.endswith('.') else attributes(chain, prefix)
    if before.endswith('.') or re.search(r'\d$', line[:len(line) - len(prefix)]):
        return prefix, []
    if not prefix and not before.endswith(('(', ',')) and before:
        return prefix, []
    return prefix, argument_names(line, prefix) + names_in_scope(prefix)


def next_indent(text):
    """The indentation that the line after `text` wants."""
    lines = text.split('\n')
    last = next((line for line in reversed(lines) if line.strip()), '')
    indent = last[:len(last) - len(last.lstrip())]
    stripped = last.split('#')[0].rstrip()
    if stripped.endswith((':', '(', '[', '{')):
        return indent + '    '
    if re.match(r'\s*(return|pass|break|continue|raise)\b', last):
        return indent[:-4] if indent.endswith('    ') else indent[:-1]
    return indent


def completeness(text):
    status, indent = completeness_of_python(text)
    if status == INVALID:
        from .source import dedent, with_commands
        mended = with_commands(dedent(text), None)
        if mended != text:
            return completeness_of_python(mended)
    return status, indent


def completeness_of_python(text):
    flags = TOP_LEVEL_AWAIT | (state.future & FUTURE_FLAGS)
    try:
        tree = compile(text, '<question>', 'exec',
                       flags | ONLY_AST | ALLOW_INCOMPLETE | DONT_IMPLY_DEDENT, True)
    except SyntaxError as error:
        if 'incomplete input' in str(error):
            return INCOMPLETE, next_indent(text)
        if not text.endswith('\n'):
            try:
                compile(text + '\n', '<question>', 'exec',
                        flags | ONLY_AST | ALLOW_INCOMPLETE | DONT_IMPLY_DEDENT, True)
            except SyntaxError as again:
                if 'incomplete input' in str(again):
                    return INCOMPLETE, next_indent(text)
            else:
                return INCOMPLETE, next_indent(text)
        return INVALID, ''
    except (ValueError, OverflowError, MemoryError, RecursionError):
        return INVALID, ''
    # A compound statement goes on until an empty line, as at the prompt.
    if tree.body and hasattr(tree.body[-1], 'body') and text.rpartition('\n')[2].strip():
        return INCOMPLETE, next_indent(text)
    return WHOLE, ''


def answer(kind, payload):
    """Answers one question; returns the type and payload of the reply."""
    fields = Fields(payload)
    number = fields.u32()
    text = fields.bytes().decode('utf-8', 'replace').removeprefix('\ufeff')
    if kind == COMPLETE:
        cursor = min(fields.u32(), len(text))
        fields.end()
        try:
            replaced, matches = complete(text[:cursor])
        except Exception:
            replaced, matches = '', []  # An object of the user's that breaks even careful looks.
        matches = matches[:MATCHES_MAX]
        return COMPLETIONS, b''.join(
            [u32(number), u32(cursor - len(replaced)), u32(cursor), u32(len(matches))]
            + [field(part.encode('utf-8', 'replace')) for match in matches for part in match])
    if kind == DESCRIBE:
        fields.end()
        from .describe import description
        return DESCRIPTION, u32(number) + b''.join(field(part) for part in description(text))
    if kind == IS_COMPLETE:
        fields.end()
        status, indent = completeness(text)
        return COMPLETENESS, u32(number) + bytes((status,)) + field(indent.encode())
    raise Violation('unknown question')
