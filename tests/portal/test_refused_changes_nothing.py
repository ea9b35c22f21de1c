"""Invariant I19 at the doors of people: a form or a command that is refused leaves every table as it was."""

from __future__ import annotations

import io

import click
import pytest
import sqlalchemy as sa

from core.actor import Scope
from core.db import reading
from core.settings import settings
from portal import cli
from portal.roles import ROLES as RIGHTS
from tests import digest
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in
from tests.portal.routes import BY_KEY, ROWS

WHO = {
    "admin": "admin", "compliance": "compliance", "finance": "finance", "auditor": "auditor", "agent": "agent1",
    "acceptor": "acceptor1", "merchant": "merchant1",
}  # fmt: skip
STRANGE = {
    "nothing": "",
    "not a number": "NaN",
    "an exponent": "1e400",
    "beyond 63 bits": "9223372036854775808",
    "turned around": "\u202e0.05",
    "a NUL": "5\x004",
    "very long": "9" * 100_000,
}
"""Put into every field of a form at once; test_amounts walks more at the doors of money."""
FIELDS = (
    "why", "reason", "narrative", "received", "amount", "arrival", "payer_name", "outcome", "disposition", "kind",
    "approve", "sure", "alert", "offer", "online", "agent", "open_limit", "day_limit", "bank_account",
    "policy", "state", "until", "party", "ref", "name", "code", "currency", "price", "rule", "verdict", "account",
    "period", "password", "current", "fresh", "again", "language", "theme", "density", "zone",
)  # fmt: skip
POSTS = [row for row in ROWS if row.method == "POST" and row.who != BY_KEY and not row.rule.startswith("/log")]


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        made = market.built()
        made.open, made.claimed = opened(made.trade, number="SHOP-7"), claimed(made.trade, number="SHOP-8")
        made.held, made.alert = held(made)
        made.home = str(settings().home)
        made.browsers = {role: signed_in(made, name) for role, name in WHO.items()}
        for browser in made.browsers.values():
            browser.get("/account/")
    return made


@pytest.fixture(autouse=True)
def same_home(own_home, desk, monkeypatch):
    monkeypatch.setenv("DESK_HOME", desk.home)
    settings.cache_clear()


def desks(app):
    return {view.endpoint: view for view in app.appbuilder.baseviews if hasattr(view, "deeds")}


def keys(view, most=3):
    """Some rows of a desk, whoever they belong to."""
    with reading() as tx:
        return list(tx.connection.execute(sa.select(getattr(view.model, view.key)).limit(most)).scalars())


def deeds(app):
    for view in desks(app).values():
        for deed in view.deeds.values():
            for key in keys(view):
                yield view, deed, f"{view.route_base}/action/{deed.name}/{key}"


class Watch:
    """Posts forms and tells which tables each one changed."""

    def __init__(self):
        self.before = digest.of_all()

    def send(self, browser, path, form):
        """Post the form; return the status and which tables are not as they were."""
        status = browser.post(path, form).status_code
        after = digest.of_all()
        changed, self.before = digest.changed(self.before, after), after
        return status, changed


def test_a_deed_without_its_right_changes_nothing(desk):
    """Every deed, on rows there are, by every role that lacks its right."""
    before, walked = digest.of_all(), 0
    for view, deed, path in deeds(desk.app):
        for role, browser in desk.browsers.items():
            if deed.right not in RIGHTS[role].rights or view.right not in RIGHTS[role].rights:
                status = browser.post(path, {"why": "because it is asked for", "sure": "yes"}).status_code
                assert status in {403, 404}, (role, path, status)
                walked += 1
    assert walked > 100
    assert digest.changed(before, digest.of_all()) == []


def test_a_deed_on_a_row_of_somebody_else_changes_nothing(desk):
    before, walked = digest.of_all(), 0
    for name in ("merchant2", "acceptor2"):
        browser = signed_in(desk, name)
        browser.get("/account/")
        for view, _deed, path in deeds(desk.app):
            row = path.rsplit("/", 1)[1]
            if browser.get(f"{view.route_base}/show/{row}").status_code != 200:
                assert browser.post(path, {"why": "because it is asked for"}).status_code in {403, 404}, (name, path)
                walked += 1
    assert walked > 50
    assert digest.changed(before, digest.of_all()) == []


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row.path or row.rule)
def test_a_form_that_is_refused_changes_nothing_at_any_address(desk, row):
    """Every address that takes a form, by every role, with strange things, on a row that is there and on none."""
    rule, form = row.path or row.rule, dict.fromkeys(FIELDS, "\u202eNaN") | {"rowid": "none"}
    for filled in ("999999", desk.open) if "<" in rule else ("",):
        path = "/".join(filled if part.startswith("<") else part for part in rule.split("/"))
        before = digest.of_all()
        for role in sorted(set(WHO) - row.who):
            assert desk.browsers[role].post(path, form).status_code in {302, 403, 404}, (role, path)
        assert digest.changed(before, digest.of_all()) == [], path
        watch = Watch()
        for role in sorted(set(WHO) & row.who):
            status, changed = watch.send(desk.browsers[role], path, form)
            assert status < 500, (role, path, status)
            if status >= 400:
                assert changed == [], (role, path, status, changed)


COMMANDS = [
    ("party new merchant {x} --name Shop --country BR", ("sh:op", "sh\u202eop", "", "x" * 200, "shop\x00")),
    ("party new acceptor fresh --name {x} --country BR", ("\u202eabc", "", "x" * 5000, "a\u200b\u3164b")),
    ("party new acceptor fresh --name Joao --country {x}", ("XX", "BRA", "\uff22\uff32", "1")),
    ("party new acceptor fresh --name Joao --country BR --level {x}", ("NaN", "-1", "9", "1e400")),
    ("party account {acceptor} --bank Banco --currency {x} --method pix", ("XXX", "usdt", "", "BRLX")),
    ("party move {agent} --under {x} --why because", ("nobody", "{agent}", "")),
    ("party suspend {x} --why because", ("nobody", "")),
    ("party suspend {acceptor} --why {x}", ("", "\u202ebecause", "x" * 10_000)),
    ("pool new fresh --currency BRL --method pix --fees standard --least {x} --most 900", "amounts"),
    ("pool new fresh --currency BRL --method pix --fees standard --least 1 --most {x}", "amounts"),
    (
        "pool new fresh --currency BRL --method pix --fees standard --least 1 --most 9 --reserve {x}",
        ("NaN", "-5", "1_000", "1e400"),
    ),
    ("pool new fresh --currency BRL --method pix --fees {x} --least 1 --most 900", ("none", "")),
    ("pool admit {x} {merchant}", ("nowhere", "")),
    ("pool join {pool} {x} --day-limit 900", ("bnk_none", "")),
    ("pool join {pool} {account} --day-limit {x}", "amounts"),
    ("pool join {pool} {account} --day-limit 900 --open-limit {x}", ("0", "-1", "NaN", "1e400", "2147483648")),
    ("pool limits {pool} --most {x} --why because", ("NaN", "1e400", "1_000", "-0", "1,5", "9223372036854775808")),
    ("pool limits {pool} --least {x} --why because", ("NaN", "\u202e5")),
    ("pool account {pool} {account} --day-limit {x} --why because", ("NaN", "1e400", "-1")),
    ("pool leave {pool} {x} --why because", ("bnk_none", "")),
    ("pool expel {pool} {x} --why because", ("nobody", "")),
    ("pool policy {pool} {x} --why because", ("best", "")),
    ("rate set BRL {x} --why told", "amounts"),
    ("rate set {x} 5.42 --why told", ("XXX", "", "USDT", "brl\u202e")),
    ("rate set BRL 999 --why told", ("",)),
    ("key new --party {x}", ("nobody", "")),
    ("key end {x} --why because", ("key_none", "")),
    ("user new {x} --role admin", ("", "a b", "\u202eadmin", "admin", "x" * 300)),
    ("user new fresh --role {x}", ("root", "")),
    ("user new fresh --role merchant --party {x}", ("nobody", "{agent}")),
    ("user role {x} auditor", ("nobody", "")),
    ("user deactivate {x}", ("nobody", "")),
    ("user password {x}", ("nobody", "")),
    ("clock advance {x}", ("NaN", "-1h", "soon", "1e400", "")),
    ("clock set {x}", ("2026-13-01", "2026-11-20 10:00", "yesterday", "9999999999")),
    ("export commission --period {x}", ("2026-13", "NaN", "", "2026-1", "\u0662\u0660\u0662\u0666-10")),
    ("reserve top-up {acceptor} {x} --arrival T-1 --why seen --yes --as finance", "amounts"),
    ("reserve approve {x} --why seen --yes --as finance2", ("apr_none", "")),
    ("import history {x}", ("/nonexistent", "/etc/hostname")),
    (
        "fees propose standard {x} --from 2027-01-01T00:00:00Z --why told --as finance",
        ("/nonexistent", "/etc/hostname"),
    ),
    ("rules draft {x} --why told --as compliance", ("/nonexistent", "/etc/hostname")),
]
"""A command with one thing wrong in it; "amounts" stands for the amounts that are none."""
READS = {"list", "read"}
ALIKE = {"online", "reinstate", "bar", "pause", "reopen", "activate", "unlock", "withdraw"}
"""Commands that name a row and a reason as one in the table does."""
AMOUNTS = (
    "NaN", "-Infinity", "1e400", "1_000", "1,5", "-0", "-5", "0", "\u0665\uff15", "9223372036854775808", "9" * 19,
    "0.000000001", "\u202e5", "5\u200b", "=1+1", "0x5", "",
)  # fmt: skip


@pytest.mark.parametrize(("words", "strange"), COMMANDS, ids=lambda each: each if isinstance(each, str) else "")
def test_a_command_that_is_refused_changes_nothing(desk, words, strange, monkeypatch, capsys):
    monkeypatch.setenv("REDIS_URL", "unix:///nonexistent/redis.sock")
    with reading() as tx:
        monkeypatch.setenv("DATABASE_URL", tx.connection.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    known = {
        "acceptor": desk.acceptor.ref, "merchant": desk.trade.merchant_ref, "agent": desk.trade.agents[0],
        "pool": desk.trade.pool_ref, "account": account_of(desk.other.ref),
    }  # fmt: skip
    before = digest.of_all()
    for each in AMOUNTS if strange == "amounts" else strange:
        values = known | {"x": each.format(**known) if each == "{agent}" else each}
        monkeypatch.setattr("sys.stdin", io.StringIO("desk-demo-2026\n"))
        with pytest.raises(SystemExit) as ended:
            cli.main([part.format(**values) for part in words.split()])
        said = capsys.readouterr()
        assert ended.value.code, (words, each, said.out)
        assert "Traceback" not in said.err, (words, each)
        assert digest.changed(before, digest.of_all()) == [], (words, each)


def account_of(party):
    with reading() as tx:
        return tx.call("select b.ref from bank_account b join party p on p.id = b.party_id where p.ref = %s", (party,))


def test_every_command_that_writes_has_a_line_in_the_table():
    for name in ("party", "pool", "rate", "key", "user", "reserve"):
        group = cli.desk.get_command(click.Context(cli.desk), name)
        told = {words.split()[1] for words, _ in COMMANDS if words.startswith(f"{name} ")}
        assert set(group.commands) - READS - ALIKE - told == set(), f"desk {name}: give each a line in COMMANDS"


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_a_deed_with_a_strange_form_changes_all_it_says_or_nothing(desk, strange):
    """By everybody who has the right; what goes through in spite of all is a deed that asks for no words.

    The last test of the module: who is suspended here is signed out.
    """
    watch, form, refused = Watch(), dict.fromkeys(FIELDS, strange), 0
    for view, deed, path in deeds(desk.app):
        role = next((each for each in WHO if {deed.right, view.right} <= RIGHTS[each].rights), None)
        if role is None or (RIGHTS[role].scope is not Scope.ALL and not strange):
            continue
        status, changed = watch.send(desk.browsers[role], path, form)
        assert status < 500, (role, path, status)
        if status >= 400:
            assert changed == [], (role, path, changed)
            refused += 1
    assert refused > 20
