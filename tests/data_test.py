# SPDX-License-Identifier: Apache-2.0
"""The image python-data: what it can do without a network, and how little it leaves behind."""

import base64

import pytest

from support import Session, err, out


@pytest.fixture(scope="module")
def s(client):
    # Its template takes a minute where other tests run beside this one.
    client.send("image.warm", image="python-data").wait(240)
    session = Session(client, "python-data")
    yield session
    session.close()


def ok(cell):
    assert cell["exit_code"] == 0, err(cell)
    return cell


def test_it_is_warm_and_shows_nothing_of_it(s):
    assert s.opened["source"] == "template"
    code = "import sys\nprint('pandas' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    assert out(s.exec(code)) == "True True\n"
    assert out(s.exec("print(sorted(n for n in globals() if not n.startswith('__')))")) == "['sys']\n"
    assert out(s.exec("ls -A; cat /proc/sys/kernel/hostname", mode="shell")) == (
        "glassbell-" + s.id[2:8] + "\n")
    assert s.get()["guest_memory"]["total"] > 400 << 20


def test_a_program_of_its_own_is_silent_too(s):
    cell = ok(s.exec("python3 -c 'import numpy; print(numpy.ones(3) @ numpy.ones(3))'", mode="shell",
                     timeout_ms=120000))
    assert (out(cell), err(cell)) == ("3.0\n", "")


def test_documents(s):
    """What models reach for beside tables: each writes what another one reads, or itself."""
    cell = ok(s.exec("""
import io, bs4, jinja2, lxml.etree, pypdf, tabulate, tqdm, xlsxwriter, yaml, openpyxl
page = jinja2.Template('<ul>{% for x in xs %}<li>{{ x|e }}</li>{% endfor %}</ul>').render(xs=['a<', 'ü'])
soup = [li.text for li in bs4.BeautifulSoup(page, 'lxml')('li')]
tree = lxml.etree.fromstring(page).xpath('//li/text()')
sheet = io.BytesIO()
with xlsxwriter.Workbook(sheet) as book: book.add_worksheet('s').write_row(0, 0, ['a', 2.5])
row = next(openpyxl.load_workbook(sheet)['s'].values)
pdf = io.BytesIO()
writer = pypdf.PdfWriter(); writer.add_blank_page(100, 200); writer.write(pdf)
size = pypdf.PdfReader(pdf).pages[0].mediabox
said = yaml.safe_load(yaml.safe_dump({'x': [1, 'ü']}, allow_unicode=True))
table = tabulate.tabulate([[1, 2]], headers=['a', 'b'], tablefmt='github').splitlines()[0]
soup, tree, row, (int(size.width), int(size.height)), said, table, sum(tqdm.tqdm(range(4), disable=True))
""", timeout_ms=120000))
    assert eval(cell["value"]) == (["a<", "ü"], ["a<", "ü"], ("a", 2.5), (100, 200), {"x": [1, "ü"]},
                                   "|   a |   b |", 6)
    assert cell["files"] == []


def test_seaborn_and_scipy(s):
    cell = ok(s.exec("import seaborn as sns, pandas as pd, scipy.stats, matplotlib.pyplot as plt, numpy.testing\n"
                     "sns.histplot(pd.DataFrame({'x': [1, 2, 2, 3.]}), x='x', kde=True); plt.show()\n"
                     "round(float(scipy.stats.ttest_ind([1, 2, 3], [2, 3, 4.5]).pvalue), 3)",
                     timeout_ms=120000))
    assert cell["value"] == "0.277" and [d["mime"] for d in cell["displays"]] == ["image/png"]


@pytest.mark.parametrize("text", ["日本語", "中文字符", "繁體", "한국어", "ünïcödé"])
def test_no_letter_is_missing(s, text):
    """A letter that no font has is told on standard error by matplotlib."""
    cell = ok(s.exec(f"import matplotlib.pyplot as plt\nplt.title({text!r}); plt.plot([1, 2]); plt.show()",
                     timeout_ms=120000))
    assert [d["mime"] for d in cell["displays"]] == ["image/png"] and err(cell) == ""


def test_tables(s):
    rows = "".join(f"{n},{n % 7},{n / 4}\n" for n in range(100000))
    s.write("big.csv", b"id,kind,x\n" + rows.encode())
    cell = ok(s.exec("import pandas as pd, numpy as np\n"
                     "t = pd.read_csv('big.csv')\n"
                     "t.groupby('kind').x.sum().round(2).to_dict()", timeout_ms=120000))
    want = {k: float(sum(n / 4 for n in range(k, 100000, 7))) for k in range(7)}
    assert eval(cell["value"]) == pytest.approx(want)
    assert any(d["mime"] == "text/html" for d in ok(s.exec("t.head(2)"))["displays"])
    assert ok(s.exec("float(np.linalg.solve(np.array([[2., 1.], [1., 3.]]), [3., 5.])[1])"))["value"] == "1.4"


def test_plots_become_displays(s):
    cell = ok(s.exec("import matplotlib.pyplot as plt\nplt.plot([1, 2, 3], [1, 4, 9]); plt.title('ü')\n"
                     "plt.show()\nplt.figure(); _ = plt.hist([1, 1, 2])", timeout_ms=120000))
    assert [d["mime"] for d in cell["displays"]] == ["image/png"] * 2
    for display in cell["displays"]:
        assert base64.b64decode(display["base64"]).startswith(b"\x89PNG")
    assert cell["files"] == [] and err(cell) == ""


def test_spreadsheets_and_pictures_there_and_back(s):
    cell = ok(s.exec("import pandas as pd\n"
                     "pd.DataFrame({'name': ['a', 'ü'], 'x': [1, 2.5]}).to_excel('out.xlsx', index=False)\n"
                     "pd.read_excel('out.xlsx').to_dict('list')", timeout_ms=120000))
    assert eval(cell["value"]) == {"name": ["a", "ü"], "x": [1, 2.5]}
    assert [(f["path"], f["change"]) for f in cell["files"]] == [("out.xlsx", "added")]
    cell = ok(s.exec("from PIL import Image, ImageDraw\npicture = Image.new('RGB', (8, 8), 'red')\n"
                     "ImageDraw.Draw(picture).line((0, 0, 7, 7), fill='blue')\npicture.save('p.png')\n"
                     "picture.save('p.jpg'); Image.open('p.png').getpixel((3, 3))"))
    assert cell["value"] == "(0, 0, 255)"
    assert out(ok(s.exec("import requests\ntry: requests.get('http://127.0.0.1:9')\n"
                         "except requests.ConnectionError: print('no network')"))) == "no network\n"


def test_no_two_clones_draw_the_same_numbers(s, client):
    """Of numpy's global generator too, which is there before the template is made."""
    code = "import numpy, random, uuid; (numpy.random.rand(), random.random(), uuid.uuid1().hex)"
    other = Session(client, "python-data")
    try:
        one, two = eval(ok(s.exec(code))["value"]), eval(ok(other.exec(code))["value"])
    finally:
        other.close()
    assert all(a != b for a, b in zip(one, two))
