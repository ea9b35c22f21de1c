"""A person at a browser: Chromium signed in to a desk that is served here, and what may not be seen on any page."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.portal.conftest import PASSWORD

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 780}
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def served(made):
    """Serve the desk's app on a port of its own; its address is kept with the desk."""
    server = make_server("127.0.0.1", 0, made.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.address = f"http://127.0.0.1:{server.port}"
    yield made
    server.shutdown()
    thread.join(timeout=5)


@contextmanager
def visit(desk, chromium, name, size=WIDE, **more):
    """A signed-in page; at its end nothing may have been said on the console, or asked of another host."""
    context = chromium.new_context(viewport=size, base_url=desk.address, **more)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        sign_in(page, name)
        yield page
    finally:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(desk.address)] == []


def sign_in(page, name):
    """Fill the sign-in form and wait for home."""
    page.goto("/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/")


def fits(page):
    """Return whether nothing of the page stands out to the right."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def tab_to(page, target, most=80):
    """Press Tab until that element has the focus; every stop on the way must be seen to have it."""
    for _step in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"), "a focus nobody sees"
        if target.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by {most} presses of Tab")
