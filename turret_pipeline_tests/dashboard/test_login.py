"""Login, sessions and tokens: who may open which page, and for how long."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.access import Access
from turret_pipeline.dashboard.credentials import CredentialFile
from turret_pipeline.dashboard.login_limits import FAILURES_PER_ADDRESS, FAILURES_PER_NAME, WINDOW_SECONDS, LoginLimits
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages import ACTIONS, PAGES
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page

ANA, VIC = ("ana", "a sentence only ana writes"), ("vic@example.com", "a sentence only vic writes")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Visit:
    """A browser at a dashboard, without pages: it keeps cookies and follows no redirect."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url, self.headers, self.cookies = url, {"accept": "text/html", **headers}, httpx.Cookies()

    def ask(self, method: str, path: str, data: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Response:
        given = {**self.headers, **headers}
        # passwords are checked one by one, each by a whole core, which other tests may need
        with httpx.Client(base_url=self.url, headers=given, cookies=self.cookies, timeout=60) as client:
            answer = client.request(method, path, data=data or None)
            self.cookies = client.cookies
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, {}, headers)

    def post(self, path: str, data: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        return self.ask("POST", path, data or {"nothing": ""}, {"origin": self.url, **headers})

    def log_in(self, name: str, password: str, **more: str) -> httpx.Response:
        return self.post("/login", {"name": name, "password": password, **more})

    def csrf_token(self) -> str:
        text = self.get("/one").text
        return text.partition('name="csrf_token" value="')[2].partition('"')[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the credentials of an admin and a viewer."""
    folder = tmp_path_factory.mktemp("access")
    file = CredentialFile(folder / "dashboard")
    file.add_password(ANA[0], "admin", ANA[1])
    file.add_password(VIC[0], "viewer", VIC[1], ["one"])
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that shows what it knows of the person, and a form."""

    def show(page: Page) -> Content:
        text = f"role {page.viewer.role}, edits {page.viewer.can_edit}, texts of {page.min_users}"
        return Content("error.html", "Probe", {"message": text})

    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "5")
    monkeypatch.setitem(PAGES, "probe", show)
    monkeypatch.setitem(ACTIONS, "probe", lambda page, form: page.state.to_page("probe", done=form.get("value")))


@pytest.fixture
def url(folder: Path, sample_folder: Path, clock: Clock, probe: None) -> Iterator[str]:  # noqa: ARG001 - pages to open
    """A dashboard of two projects, one of which the viewer may open, whose time is ``clock``."""
    projects = {"one": sample_folder, "two": sample_folder}
    access = Access(DashboardSettings(data_dir=folder, projects=projects), clock)
    with run_dashboard({"data_dir": folder}, access, **projects) as url:
        yield url


def test_without_credentials_this_machine_needs_no_login(sample_folder: Path) -> None:
    with run_dashboard(one=sample_folder) as url:
        visit = Visit(url)
        assert visit.get("/one").status_code == 200
        assert "Log out" not in visit.get("/one").text
        assert visit.get("/login?next=/one").headers["location"] == "/one"
        assert visit.log_in("x", "y").headers["location"] == "/"


def test_nothing_but_the_login_is_shown_before_it(url: str) -> None:
    visit = Visit(url)
    for path in ("/", "/one", "/one/newer?run=x", "/one/probe", "/two", "/three", "/favicon", "//evil.example"):
        answer = visit.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), path
    assert visit.get("/one?since=2026-09-01").headers["location"] == "/login?next=%2Fone%3Fsince%3D2026-09-01"
    assert visit.post("/one/probe").headers["location"] == "/login"
    assert visit.get("/health").text == "ok\n"
    page = visit.get("/login")
    assert page.status_code == 200
    assert "/one" not in page.text
    for path in ("/static/none.css", "/static/../one", "/login/x"):
        assert "/two" not in visit.get(path).text
    script = get_page(f"{url}/one")
    assert (script.status_code, script.headers["www-authenticate"]) == (401, "Bearer")
    part = visit.get("/one/newer?run=x", **{"hx-request": "true"})
    assert (part.status_code, "You are logged out" in part.text) == (401, True)


def test_a_login_leads_to_the_page_that_was_asked_for_and_a_logout_ends_it(url: str) -> None:
    visit = Visit(url)
    done = visit.log_in(*ANA, next="/one?since=2026-09-01")
    assert (done.status_code, done.headers["location"]) == (303, "/one?since=2026-09-01")
    cookie = done.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("turret_session=", "httponly", "samesite=lax", "path=/"))
    assert "secure" not in cookie
    assert "Log out" in visit.get("/one").text
    assert visit.get("/login?next=/two").headers["location"] == "/two"
    old = dict(visit.cookies)
    assert visit.post("/logout", {"csrf_token": "wrong"}).status_code == 403
    assert visit.get("/one").status_code == 200
    assert visit.post("/logout", {"csrf_token": visit.csrf_token()}).headers["location"] == "/login"
    assert not visit.cookies
    assert httpx.get(f"{url}/one", cookies=old).status_code == 401


def test_each_login_has_a_new_id_and_ends_the_session_before(url: str) -> None:
    visit = Visit(url)
    visit.cookies.set("turret_session", "chosen-by-another", domain="127.0.0.1")
    visit.log_in(*ANA)
    first = dict(visit.cookies)
    assert first["turret_session"] != "chosen-by-another"
    visit.log_in(*ANA)
    assert dict(visit.cookies) != first
    assert httpx.get(f"{url}/one", cookies=first).status_code == 401
    assert visit.get("/one").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "wrong"), ("nobody", ANA[1]), ("", ""), ("ana", ANA[1] + " "), ("\ud7ff\0", "é")]
)
def test_wrong_names_and_wrong_passwords_get_one_answer(url: str, name: str, password: str) -> None:
    visit = Visit(url)
    done = visit.log_in(name, password)
    assert (done.status_code, "Name or password is wrong." in done.text) == (401, True)
    assert not visit.cookies


def test_sessions_end_when_they_are_idle_or_old_and_an_open_page_does_not_keep_them(url: str, clock: Clock) -> None:
    visit = Visit(url)
    visit.log_in(*ANA)
    for _ in range(3):
        clock.seconds += 100 * 60
        assert visit.get("/one").status_code == 200
    for _ in range(3):
        clock.seconds += 50 * 60
        last = visit.get("/one/newer?run=x")
    assert last.status_code == 303
    visit.log_in(*ANA)
    statuses = []
    for _ in range(13):
        clock.seconds += 3600
        statuses.append(visit.get("/one").status_code)
    assert statuses == [200] * 11 + [303] * 2


def test_a_viewer_opens_the_own_projects_and_changes_nothing(url: str) -> None:
    visit = Visit(url)
    visit.log_in(*VIC)
    assert "role viewer, edits False, texts of 5" in visit.get("/one/probe").text
    assert "/two" not in visit.get("/one").text
    hidden, unknown = visit.get("/two"), visit.get("/six")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.text.replace("two", "six") == unknown.text
    assert visit.get("/two/newer?run=x").status_code == 404
    assert visit.post("/two/probe", {"csrf_token": visit.csrf_token()}).status_code == 404
    refused = visit.post("/one/probe", {"csrf_token": visit.csrf_token(), "value": "1"})
    assert (refused.status_code, "Only admins can change this" in refused.text) == (403, True)


def test_an_admin_needs_the_token_of_the_own_session_to_change_something(url: str) -> None:
    visit, other = Visit(url), Visit(url)
    visit.log_in(*ANA)
    other.log_in(*ANA)
    assert "role admin, edits True, texts of 1" in visit.get("/one/probe").text
    for token in ("", "wrong", "é", other.csrf_token()):
        assert visit.post("/one/probe", {"csrf_token": token}).status_code == 403
    mine = {"csrf_token": visit.csrf_token(), "value": "7"}
    assert visit.post("/one/probe", mine).headers["location"] == "/one/probe?done=7"
    foreign = visit.post("/one/probe", mine, origin="http://evil.example")
    assert foreign.status_code == 403


def test_scripts_read_with_a_token_and_change_nothing(url: str, folder: Path) -> None:
    file = CredentialFile(folder / "dashboard")
    token, _ = file.add_token("script", "admin", ["one"])
    bearer = {"authorization": f"Bearer {token}"}
    table = httpx.get(f"{url}/one?format=csv", headers=bearer)
    assert table.text.startswith("bucket_date,")
    assert httpx.head(f"{url}/one", headers=bearer).status_code == 200
    assert httpx.get(f"{url}/two", headers=bearer).status_code == 404
    assert httpx.post(f"{url}/one/probe", headers={**bearer, "origin": url}).status_code == 403
    visit = Visit(url)
    visit.log_in(*ANA)
    data = {"csrf_token": visit.csrf_token()}
    assert visit.post("/one/probe", data, **bearer).status_code == 403
    for wrong in ("x", token[:-1], token + "x", token.replace("_", "-"), "turretdash__", "\xe9_\xe9_\xe9"):
        with httpx.Client(headers=[(b"authorization", f"Bearer {wrong}".encode("latin-1"))]) as client:
            assert client.get(f"{url}/one").status_code == 401
    file.remove("script")
    assert httpx.get(f"{url}/one", headers=bearer).status_code == 401


def test_a_change_of_a_credential_is_effective_at_once(url: str, folder: Path) -> None:
    file = CredentialFile(folder / "dashboard")
    file.add_password("tom", "admin", "a sentence only tom writes")
    visit = Visit(url)
    visit.log_in("tom", "a sentence only tom writes")
    assert visit.get("/two").status_code == 200
    file.remove("tom")
    assert visit.get("/two").status_code == 303
    file.add_password("tom", "viewer", "a sentence only tom writes", ["one"])
    assert visit.get("/two").status_code == 303
    visit.log_in("tom", "a sentence only tom writes")
    assert visit.get("/two").status_code == 404
    file.path.rename(file.path.with_suffix(".old"))
    file.path.write_text("damaged")
    assert visit.get("/one").status_code == 200
    assert get_page(f"{url}/one").status_code == 401
    file.path.with_suffix(".old").rename(file.path)
    file.remove("tom")


def test_the_first_credential_closes_a_running_dashboard_and_the_last_does_not_open_it(
    tmp_path: Path, sample_folder: Path
) -> None:
    file = CredentialFile(tmp_path / "dashboard")
    with run_dashboard({"data_dir": tmp_path}, one=sample_folder) as url:
        assert get_page(f"{url}/one").status_code == 200
        file.add_token("script", "viewer")
        assert get_page(f"{url}/one").status_code == 401
        file.remove("script")
        assert get_page(f"{url}/one").status_code == 401


def test_logins_that_fail_too_often_must_wait(url: str, clock: Clock) -> None:
    visit = Visit(url)
    for _ in range(FAILURES_PER_NAME):
        assert visit.log_in("ana", "wrong").status_code == 401
    clock.seconds += 60
    late = visit.log_in(*ANA)
    assert (late.status_code, late.headers["retry-after"]) == (429, str(WINDOW_SECONDS - 60))
    assert "Too many logins failed. Try again in 14 minutes." in late.text
    assert visit.log_in(*VIC).status_code == 303
    clock.seconds += WINDOW_SECONDS - 60
    assert visit.log_in(*ANA).status_code == 303


def test_parallel_logins_do_not_pass_the_limit_together(url: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: Visit(url).log_in("ana", "wrong").status_code, range(12)))
    assert sorted(answers) == [401] * FAILURES_PER_NAME + [429] * (12 - FAILURES_PER_NAME)


def test_the_password_of_an_unknown_name_is_hashed_too(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CredentialFile(folder / "dashboard").add_token("token", "viewer")
    costs = []

    def derive(*_: object, **given: int) -> bytes:
        costs.append((given["n"], given["r"], given["p"]))
        return bytes(32)

    monkeypatch.setattr("turret_pipeline.dashboard.passwords.hashlib.scrypt", derive)
    assert [Visit(url).log_in(name, "wrong").status_code for name in ("ana", "nobody", "token")] == [401] * 3
    assert len(costs) == 3
    assert len(set(costs)) == 1
    CredentialFile(folder / "dashboard").remove("token")


def test_limits_hold_for_names_that_do_not_exist_and_for_addresses(clock: Clock) -> None:
    limits = LoginLimits(clock)
    waits = [limits.begin("nobody", f"10.0.0.{number}") for number in range(FAILURES_PER_NAME + 1)]
    assert waits == [0] * FAILURES_PER_NAME + [WINDOW_SECONDS]
    for one, other in (("10.1.0.1", "10.1.0.1"), ("2001:db8::1", "2001:db8::ffff"), ("", "")):
        for number in range(FAILURES_PER_ADDRESS):
            assert limits.begin(f"{one} {number}", one) == 0
        assert limits.begin("last", other) == WINDOW_SECONDS
    assert limits.begin("last", "10.1.0.2") == 0
    assert limits.begin("last", "2001:db8:1::1") == 0


def test_a_login_that_succeeds_frees_the_name_and_not_the_address(clock: Clock) -> None:
    limits = LoginLimits(clock)
    for number in range(FAILURES_PER_ADDRESS - 1):
        assert limits.begin(f"name {number // FAILURES_PER_NAME}", "10.0.0.1") == 0
    for _ in range(FAILURES_PER_NAME + 1):
        assert limits.begin("ana", "10.0.0.1") == 0
        limits.succeed("ana", "10.0.0.1")
    assert limits.begin("bob", "10.0.0.1") == 0
    assert limits.begin("bob", "10.0.0.1") == WINDOW_SECONDS
    assert limits.begin("ana", "10.0.0.2") == 0


def test_cookies_are_secure_behind_a_trusted_proxy_and_its_addresses_count(folder: Path, sample_folder: Path) -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}
    for proxies, is_secure in ((["127.0.0.0/8"], True), ([], False), (["10.0.0.1"], False)):
        with run_dashboard({"data_dir": folder, "trusted_proxies": proxies}, one=sample_folder) as url:
            origin = url.replace("http:", "https:")
            done = Visit(url, **forwarded).post("/login", {"name": ANA[0], "password": ANA[1]}, origin=origin)
            assert done.status_code == 303
            cookie = done.headers["set-cookie"]
            assert (cookie.startswith("__Host-"), "Secure" in cookie) == (is_secure, is_secure)
