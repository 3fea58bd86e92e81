# SPDX-License-Identifier: Apache-2.0
"""Modules are found and read as they are now."""

import pytest


def test_module_written_and_imported_in_one_cell(py):
    result = py.run('''import importlib
missing = []
for n in range(200):
    with open(f"made_{n}.py", "w") as file: file.write(f"n = {n}")
    try:
        assert importlib.import_module(f"made_{n}").n == n
    except ImportError:
        missing.append(n)
missing''')
    assert result.value == '[]', result


def test_packages_and_folders_made_in_one_cell(py):
    result = py.run('''import importlib, os, sys
wrong = []
sys.path.insert(0, os.path.abspath("later"))
for n in range(60):
    try: importlib.import_module(f"p{n}"); wrong.append(("there", n))
    except ImportError: pass
    os.makedirs(f"later/p{n}/sub", exist_ok=True)
    open(f"later/p{n}/__init__.py", "w").write("")
    open(f"later/p{n}/sub/__init__.py", "w").write("")
    try:
        importlib.import_module(f"p{n}.sub")
        open(f"later/p{n}/sub/m.py", "w").write(f"n = {n}")
        assert importlib.import_module(f"p{n}.sub.m").n == n
    except ImportError as error: wrong.append((n, error))
wrong''')
    assert result.value == '[]', result


@pytest.mark.parametrize('place', ['.', '/tmp'])
def test_rewritten_module_is_read_again(py, place):
    result = py.run(f'''import importlib, os, sys, tempfile
folder = tempfile.mkdtemp(dir={place!r}); sys.path.insert(0, folder)
seen = []
for n in range(30):
    open(folder + "/again.py", "w").write("n = %2d" % n)
    import again
    importlib.reload(again)
    seen.append(again.n)
print(seen == list(range(30)), os.listdir(folder))
import shutil; shutil.rmtree(folder)''')
    assert result.out == b"True ['again.py']\n", result


def test_module_that_takes_a_removed_ones_place(py):
    result = py.run('''import os, sys
seen = []
for n in range(30):
    open("one.py", "w").write(f"n = {n}")
    import one
    seen.append(one.n); del sys.modules["one"], one
    os.remove("one.py")
    try: import one; seen.append("still there")
    except ImportError: pass
seen == list(range(30))''')
    assert result.value == 'True', result


def test_no_compiled_files(py):
    (py.home / 'mod.py').write_text('x = 1\n')
    py.run('import mod, subprocess, sys\nsubprocess.run([sys.executable, "-c", "import mod"])')
    assert py.run('import os; sorted(os.listdir("."))').value == "['mod.py']"
    assert py.run('sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"]').value == "(True, '1')"


def test_working_directory_is_looked_in_where_it_is(py):
    result = py.run('import os\nos.mkdir("d"); os.chdir("d")\nopen("here.py", "w").write("a = 1")\nimport here\nhere.a')
    assert result.value == '1'
    gone = py.run('os.rmdir("../e") if os.path.exists("../e") else None\nos.mkdir("../e"); os.chdir("../e"); os.rmdir("../e")\n'
                  'try: import nothing_here\nexcept ImportError as e: print(e.name)')
    assert gone.out == b'nothing_here\n', gone


def test_archives_and_odd_paths_are_left_to_others(py):
    result = py.run('''import sys, zipfile
with zipfile.ZipFile("lib.zip", "w") as z: z.writestr("in_zip.py", "a = 2")
sys.path[:0] = ["lib.zip", "no.zip", "/dev/null", "\\udcff", ""]
import in_zip
print(in_zip.a)
try: import nowhere_at_all
except ImportError as error: print(error)''')
    assert result.out == b"2\nNo module named 'nowhere_at_all'\n", result


def test_error_with_a_path_that_breaks_imports(py):
    result = py.run('import sys\nsys.path[:] = ["nul\\0l"]\n1 / 0')
    assert b'ZeroDivisionError' in result.err and result.exit == 1, result


def test_errors_of_modules_show_no_frame_of_ours(py):
    (py.home / 'bad.py').write_text('import nothing_like_that\n')
    (py.home / 'worse.py').write_text('x = (\n')
    for code in ('import bad', 'import worse', 'import bad.sub'):
        result = py.run(code)
        assert result.exit == 1 and b'glassbell' not in result.err and b'finder' not in result.err, result
        assert result.err.count(b'File') <= 3, result
    assert b'import nothing_like_that' in py.run('import bad').err


def test_what_hooks_stand_behind_is_the_interpreters(py):
    py.run('open("mine.py", "w").write("x = 1"); import mine, sys')
    assert 'glassbell' not in py.run('repr(mine), repr(mine.__spec__), repr(sys.path_importer_cache), mine.__loader__').value
    assert py.run('type(mine.__loader__) is type(sys.modules["__main__"].__spec__) or type(mine.__loader__).__name__'
                  ).value == "'SourceFileLoader'"
