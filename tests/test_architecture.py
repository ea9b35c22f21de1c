"""The laws of the house, read off the source: who may import whom, who commits, how long things may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "portal", "dashboards", "jobs")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "common", "misc", "service"}
UNFINISHED = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b|pragma: no cover")

DOORS = {Path("jobs/worker.py"), Path("portal/cli.py")}

# The one name house.md gives to Flask-AppBuilder's own word for it.
NAMED_BY_THE_FRAMEWORK = {Path("portal/security/manager.py")}


@lru_cache
def sources(*folders: str) -> tuple[Path, ...]:
    """The Python files of these folders (and wsgi.py with the rooms), relative to the root."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    if set(ROOMS) <= set(folders):
        found += [path for path in (ROOT / "wsgi.py",) if path.exists()]
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@lru_cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def everything() -> tuple[Path, ...]:
    return sources(*ROOMS, "tests", "bench")


def calls(path: Path):
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def called(node: ast.Call) -> str:
    """The last name of what is called: `commit` of `session.commit()`."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def spoken_to(node: ast.Call) -> str:
    """What a call is asked of: `sa` of `sa.text()`, nothing of `text()`."""
    asked = getattr(node.func, "value", None)
    return getattr(asked, "id", "?") if isinstance(node.func, ast.Attribute) else ""


def test_import_contracts_are_kept():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_nobody_commits_but_the_transaction():
    allowed = {Path("core/db.py"), Path("core/migrations/runner.py")}
    found = [f"{path}:{node.lineno}" for path in sources(*ROOMS) for node in calls(path)
             if called(node) == "commit" and path not in allowed]  # fmt: skip
    assert found == []


# A step is one statement and commits by itself (core/steps.py); the others change no row of the business.
COMMIT_BY_THEMSELVES = {
    "core/steps.py", "core/embedded/postgres.py", "core/migrations/standing.py", "core/simulator/alone.py",
    "jobs/database.py",
}  # fmt: skip


def test_no_other_connection_commits_by_itself():
    found = {str(path) for path in sources(*ROOMS) for node in ast.walk(tree(path))
             if (isinstance(node, ast.keyword) and node.arg == "autocommit")
             or (isinstance(node, ast.Attribute) and node.attr == "autocommit")
             or (isinstance(node, ast.Constant) and str(node.value).upper() == "AUTOCOMMIT")}  # fmt: skip
    assert found == COMMIT_BY_THEMSELVES


# The one writer of accounts, balances and the journal; the house's own accounts are opened with the database.
LEDGER_WRITERS = {Path("core/migrations/functions/ledger.sql"), Path("core/migrations/versions/0001_house.sql")}
WRITES_THE_LEDGER = re.compile(
    r"\b(insert\s+into|update(\s+only)?|delete\s+from(\s+only)?|merge\s+into|truncate(\s+table)?|copy)\s+"
    r"(public\.)?(ledger_account|journal_entry|journal_leg)\b",
    re.IGNORECASE,
)


def statements(path: Path) -> str:
    """The file with its SQL in one piece: strings that stand one after another are joined, comments are left out."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.suffix == ".sql":
        return re.sub(r"--.*", "", text)
    return "\n".join(node.value for node in ast.walk(tree(path))
                     if isinstance(node, ast.Constant) and isinstance(node.value, str))  # fmt: skip


def test_nobody_writes_balances_but_the_ledger():
    functions = [path.relative_to(ROOT) for path in (ROOT / "core/migrations").rglob("*.sql") if path.stem != "schema"]
    found = [str(path) for path in (*sources(*ROOMS), *functions) if WRITES_THE_LEDGER.search(statements(path))]
    assert sorted(found) == sorted(map(str, LEDGER_WRITERS))


@pytest.mark.parametrize(
    "planted",
    [
        "update ledger_account set available = available + 1",
        "UPDATE only\n ledger_account set held = 0",
        "insert into journal_entry (ref) values ('x')",
        "with e as (insert into  journal_leg (entry_id) values (1))",
        "delete from public.journal_leg",
        "copy journal_leg (entry_id) from stdin",
    ],
)
def test_the_guard_of_the_ledger_sees_who_writes_beside_it(planted):
    assert WRITES_THE_LEDGER.search(planted)
    assert not WRITES_THE_LEDGER.search(planted.replace("ledger_account", "audit").replace("journal_", "other_"))


def test_screens_ask_core_for_their_rows():
    found = [f"{path}:{node.lineno}" for path in sources("portal/views", "dashboards") for node in calls(path)
             if called(node) == "select"
             or (called(node) == "text" and spoken_to(node) in {"", "sa", "sqlalchemy"})]  # fmt: skip
    assert found == []


READS_ROWS = re.compile(
    r"^\s*(select\s.*\sfrom|with\s+\w+\s+as|insert\s+into|update\s+\w+\s+set|delete\s+from)\b",
    re.IGNORECASE | re.DOTALL,
)


def test_screens_hold_no_sql_of_their_own():
    found = [f"{path}:{node.lineno}" for path in sources("portal/views", "portal/api", "dashboards")
             for node in ast.walk(tree(path))
             if isinstance(node, ast.Constant) and READS_ROWS.search(str(node.value))]  # fmt: skip
    assert found == []
    assert READS_ROWS.search(" select ref\n from orders")


def test_no_float_comes_near_money_in_core():
    found = [f"{path}:{node.lineno}" for path in sources("core") for node in calls(path)
             if called(node) in {"float", "float64", "to_numpy", "Float", "Double"}]  # fmt: skip
    assert found == []


MONEY_ROOMS = ("core/orders", "core/pricing", "core/commissions", "core/risk", "core/analytics", "core/verify")


def test_no_fraction_is_made_where_money_is_reckoned():
    """A `/` gives a float, and a literal with a point is one."""
    found = [f"{path}:{node.lineno}" for path in (*sources(*MONEY_ROOMS), Path("core/money.py"))
             for node in ast.walk(tree(path))
             if (isinstance(node, ast.Constant) and type(node.value) is float)
             or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("path", everything(), ids=str)
def test_a_file_is_short_and_says_what_it_holds(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    said = ast.get_docstring(tree(path))
    assert said, "the first line says what the module holds"
    assert text.startswith(('"""', "#!", 'r"""')), "the first line says what the module holds"
    assert said.splitlines()[0].rstrip().endswith((".", ":", "?")), "the first line is a sentence"


def test_no_function_is_longer_than_a_screen():
    found = []
    for path in everything():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{path}:{node.lineno} {node.name} has {length} lines")
    assert found == []


SAYS_ERRORS = re.compile(r"\b([Rr]efuse[sd]?|Raises)\b")


def test_a_public_function_of_core_says_what_it_refuses():
    found = []
    for path in sources("core"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                refuses = any(isinstance(each, ast.Raise) and each.exc for each in ast.walk(node)) or any(
                    isinstance(each, ast.Call) and called(each) == "must" for each in ast.walk(node)
                )
                if refuses and not SAYS_ERRORS.search(ast.get_docstring(node) or ""):
                    found.append(f"{path}:{node.lineno} {node.name}")
    assert found == []


def test_names_of_modules_say_what_they_hold():
    found = [str(path) for path in sources(*ROOMS) if path not in NAMED_BY_THE_FRAMEWORK
             and {path.stem, *path.parent.parts} & VAGUE]  # fmt: skip
    assert found == []


def test_nothing_is_left_unfinished_or_skipped():
    found = []
    for path in everything():
        if path == Path(__file__).relative_to(ROOT):
            continue
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            if UNFINISHED.search(line) or re.search(r"pytest\.(mark\.)?(skip|xfail)", line):
                found.append(f"{path}:{number} {line.strip()[:80]}")
    assert found == []


def test_the_composition_root_stays_small():
    path = ROOT / "wsgi.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


def test_jobs_and_portal_share_only_the_named_doors():
    """`portal` names jobs only in cli.py and commands/, `jobs` names portal only in worker.py."""
    found = []
    for path in sources("portal", "jobs", "dashboards"):
        room = path.parts[0]
        for node in ast.walk(tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            other = {name.split(".")[0] for name in names} & (set(ROOMS) - {"core", room})
            command = path.parts[:2] == ("portal", "commands")
            if other and not command and path not in DOORS:
                found.append(f"{path}:{node.lineno} imports {', '.join(sorted(other))}")
    assert found == []
