"""Where a login is required, and where it leads: decided by settings and paths alone."""

from pathlib import Path

import pytest

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.access import Access
from turret_pipeline.dashboard.credentials import CredentialFile
from turret_pipeline.dashboard.login import own_path
from turret_pipeline.errors import TurretError


@pytest.mark.parametrize("path", ["/one", "/one/topics/7?since=2026-09-01&segment=plan%3Dfree#e3", "/logs", "/"])
def test_a_login_leads_to_paths_of_the_dashboard(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example", "/\t/e"),
        *(
            "javascript:alert(1)",
            " /one",
            "/\n/evil.example",
            "/one\r\nSet-Cookie: a=b",
            "/é",
            "/login?next=x",
            "/logout",
        ),
    ],
)
def test_a_login_leads_to_no_other_site(path: str) -> None:
    assert own_path(path) == "/"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"host": "0.0.0.0"}, "would listen on 0.0.0.0, but nobody can log in"),
        ({"host": "::"}, "turret access add NAME --role admin"),
        ({"host": "192.168.1.5"}, "nobody can log in"),
        ({"host": "192.168.1.5", "require_login": False}, "open to everyone there"),
        ({"require_login": True}, "require_login is true, but nobody can log in"),
        ({"allowed_hosts": ["turret.example.com"]}, "as turret.example.com .* or set require_login = false"),
    ],
)
def test_a_dashboard_that_others_can_reach_starts_only_with_a_credential(
    tmp_path: Path, options: dict[str, object], problem: str
) -> None:
    settings = DashboardSettings.model_validate({"data_dir": tmp_path, **options})
    with pytest.raises(TurretError, match=problem):
        Access(settings)
    CredentialFile(tmp_path / "dashboard").add_token("script", "viewer")
    if options.get("require_login") is not False:
        assert Access(settings).is_required


@pytest.mark.parametrize(
    "options", [{}, {"allowed_hosts": ["localhost", "::1"]}, {"require_login": False, "allowed_hosts": ["a.example"]}]
)
def test_a_dashboard_on_this_machine_starts_without_a_credential(tmp_path: Path, options: dict[str, object]) -> None:
    assert not Access(DashboardSettings.model_validate({"data_dir": tmp_path, **options})).is_required
