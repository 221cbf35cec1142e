"""On a default server, with somebody signed in, a page of another origin can neither read, nor start, nor enumerate."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import func, select

from server.store.tables import Check, CheckRequest, LoginSession, new_id
from tests.server.web.conftest import World

pytestmark = pytest.mark.browser

_READ = """
async ([server, paths]) => {
  const seen = {};
  for (const path of paths) {
    for (const credentials of ["include", "omit"]) {
      for (const mode of ["cors", "no-cors"]) {
        const key = `${path} ${credentials} ${mode}`;
        try {
          const answer = await fetch(server + path, { credentials, mode });
          seen[key] = { status: answer.status, text: await answer.text() };
        } catch (error) { seen[key] = { blocked: error.name }; }
      }
    }
  }
  return seen;
}
"""
_LOAD = """
async ([server, paths]) => {
  const load = (tag, path, attributes) => new Promise((done) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.onload = () => done("loaded");
    node.onerror = () => done("refused");
    node.src = server + path;
    document.body.append(node);
  });
  const seen = {};
  for (const path of paths) {
    seen[`img ${path}`] = await load("img", path, {});
    seen[`script ${path}`] = await load("script", path, {});
    seen[`video ${path}`] = await new Promise((done) => {
      const node = document.createElement("video");
      node.onerror = () => done("refused");
      node.onloadedmetadata = () => done("loaded");
      node.src = server + path;
    });
  }
  return seen;
}
"""
_START = """
async ([server, sha]) => {
  const json = JSON.stringify({ url: "https://example.org/planted.jpg" });
  const form = new FormData();
  form.append("file", new Blob([new Uint8Array([255, 216, 255, 0, 0, 0])]), "a.jpg");
  const tries = [
    ["/api/v1/checks", { method: "POST", body: json, headers: { "Content-Type": "application/json" } }],
    ["/api/v1/checks", { method: "POST", body: json, mode: "no-cors" }],
    ["/api/v1/checks", { method: "POST", body: form, mode: "no-cors" }],
    ["/api/v1/checks", { method: "POST", body: form, headers: { "X-CSRF-Token": "guess" } }],
    ["/logout", { method: "POST", mode: "no-cors" }],
    ["/account/password",
      { method: "POST", mode: "no-cors", body: new URLSearchParams({ password: "mine from now on" }) }],
    ["/login", { method: "POST", mode: "no-cors", body: new URLSearchParams({ name: "ada", password: "x" }) }],
  ];
  const seen = [];
  for (const [path, options] of tries) {
    for (const credentials of ["include", "omit"]) {
      try {
        const answer = await fetch(server + path, { credentials, ...options });
        seen.push([path, answer.type, answer.status]);
      } catch (error) { seen.push([path, "blocked", 0]); }
    }
  }
  return seen;
}
"""
_FRAME = """
async (address) => {
  const frame = document.createElement("iframe");
  const done = new Promise((resolve) => { frame.onload = resolve; });
  frame.src = address;
  document.body.append(frame);
  await done;
  try { return frame.contentDocument === null ? "opaque" : frame.contentDocument.body.innerText; }
  catch (error) { return "opaque"; }
}
"""
_WINDOW = """
async (address) => {
  const other = window.open(address);
  for (let turn = 0; turn < 100 && !other.closed; turn += 1) await new Promise((next) => setTimeout(next, 50));
  try { return [other.closed, other.length, String(other.document?.title)]; }
  catch (error) { return [other.closed, 0, "refused"]; }
}
"""
_EVENTS = """
(address) => new Promise((done) => {
  const source = new EventSource(address, { withCredentials: true });
  source.onerror = () => { source.close(); done("refused"); };
  source.onmessage = source.onopen = () => { source.close(); done("read"); };
})
"""


@pytest.fixture(params=["127.0.0.1", "localhost"])
def attacker(request: pytest.FixtureRequest, signed_in: Page, elsewhere: int) -> Page:
    """A page of another origin in the browser of somebody signed in: the same site by port alone, or another site."""
    page = signed_in.context.new_page()
    page.goto(f"http://{request.param}:{elsewhere}/")
    return page


@pytest.fixture
def mine(world: World, signed_in: Page) -> tuple[str, str]:
    """A check of the administrator and an evidence picture: what there is to steal."""
    check_id = new_id()
    with world.database.write() as session:
        session.add(
            Check(id=check_id, source="url", url="https://example.org/secret", acquisition="download", options={},
                  variant="", priority=0, state="queued")
        )  # fmt: skip
        session.flush()
        user_id = session.scalar(select(LoginSession.user_id))
        assert user_id is not None
        session.add(CheckRequest(check_id=check_id, user_id=user_id))
    return check_id, world.picture(world.verdict())


def counts(world: World) -> tuple[int, int, int]:
    with world.database.read() as session:
        live = select(func.count()).select_from(LoginSession).where(LoginSession.revoked_at.is_(None))
        return (
            session.scalar(select(func.count()).select_from(Check)) or 0,
            session.scalar(select(func.count()).select_from(CheckRequest)) or 0,
            session.scalar(live) or 0,
        )


def test_our_own_page_can(signed_in: Page, mine: tuple[str, str]) -> None:
    """The cookie is there and works: what follows is refused for being elsewhere."""
    script = """async (path) => {
      const headers = { "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content };
      return [(await fetch(path, { headers })).status, (await fetch(path)).status];
    }"""
    assert signed_in.evaluate(script, f"/api/v1/checks/{mine[0]}") == [200, 401]


def test_nothing_can_be_read(attacker: Page, server: str, mine: tuple[str, str]) -> None:
    check_id, picture = mine
    unknown = new_id()
    data = [
        "/api/v1/checks", f"/api/v1/checks/{check_id}", f"/api/v1/checks/{unknown}",
        f"/api/v1/checks/{check_id}/events", "/api/v1/models", "/api/v1/verdicts/prefixes",
        "/api/v1/verdicts/by-prefix/0", picture,
        "/api/v1/verdicts?url=https://example.org/a.jpg", "/api/v1/verdicts?url=https://example.org/none.jpg",
        f"/api/v1/verdicts/by-hash/{'a' * 64}",
    ]  # fmt: skip
    pages = ["/", "/account", "/login", "/api/docs", "/metrics", "/healthz"]
    seen: dict[str, Any] = attacker.evaluate(_READ, [server, data + pages])
    assert len(seen) == 4 * len(data + pages)
    for key, answer in seen.items():
        path, credentials, mode = key.split(" ")
        if path in data and (credentials, mode) == ("omit", "cors"):
            # Readable without cookies, as for anybody: a refusal that is the same whether a thing exists or not.
            assert answer["status"] == 401, key
            assert '"code":"unauthorized"' in answer["text"].replace(" ", "")
        else:
            assert "blocked" in answer or answer == {"status": 0, "text": ""}, (key, answer)


def test_nothing_can_be_embedded(attacker: Page, server: str, mine: tuple[str, str]) -> None:
    paths = [mine[1], "/api/v1/checks", "/api/v1/verdicts/prefixes", "/metrics"]
    seen = attacker.evaluate(_LOAD, [server, paths])
    assert set(seen.values()) == {"refused"}, seen


def test_nothing_can_be_started_or_changed(attacker: Page, server: str, signed_in: Page, world: World) -> None:
    before = counts(world)
    seen = attacker.evaluate(_START, [server, ""])
    assert len(seen) == 14
    for path, kind, status in seen:
        assert kind in ("blocked", "opaque") or (kind == "cors" and status == 401), (path, kind, status)
    assert counts(world) == before
    signed_in.reload()
    assert signed_in.get_by_role("button", name="Sign out").is_visible()


def test_a_form_that_posts_itself_changes_nothing(attacker: Page, server: str, signed_in: Page, world: World) -> None:
    before = counts(world)
    attacker.evaluate(
        """(action) => { const form = document.createElement("form");
           Object.assign(form, { action, method: "post" }); document.body.append(form); form.submit(); }""",
        f"{server}/logout",
    )
    attacker.wait_for_url(f"{server}/**")
    assert counts(world) == before
    signed_in.reload()
    assert signed_in.get_by_role("button", name="Sign out").is_visible()


def test_no_page_can_be_framed_or_held(attacker: Page, server: str, mine: tuple[str, str]) -> None:
    for path in ("/", "/account", "/login", mine[1]):
        assert attacker.evaluate(_FRAME, server + path) == "opaque"
    closed, frames, _ = attacker.evaluate(_WINDOW, f"{server}/account")
    assert (closed, frames) == (True, 0), "the opener holds nothing, not even how many frames there are"


def test_no_stream_can_be_followed(attacker: Page, server: str, mine: tuple[str, str]) -> None:
    assert attacker.evaluate(_EVENTS, f"{server}/api/v1/checks/{mine[0]}/events") == "refused"


def test_a_name_that_is_rebound_here_is_turned_away(page: Page, server: str, world: World) -> None:
    """evil.example resolves to this machine: to the browser it is one origin with the server's port."""
    answer = page.goto(server.replace("127.0.0.1", "evil.example") + "/login")
    assert answer is not None
    assert answer.status == 400
    assert page.context.cookies() == []
    headers = world.bearer("admin")
    status = page.evaluate("async (headers) => (await fetch('/api/v1/models', { headers })).status", headers)
    assert status == 400
