"""TLS of the dashboard, and its messages at the start."""

import subprocess
from pathlib import Path

import httpx
import pytest

from turret_pipeline.config.dashboard import DashboardSettings, load_dashboard_settings
from turret_pipeline.dashboard.credentials import CredentialFile
from turret_pipeline.dashboard.server import cleartext_warning, configure_server
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.dashboard.conftest import run_dashboard


def test_pages_and_cookies_with_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    CredentialFile(tmp_path / "dashboard").add_password("ana", "admin", "a sentence only ana writes")
    options = {"data_dir": tmp_path, "tls_certificate": certificate, "tls_key": key}
    with run_dashboard(options, demo=tmp_path) as url, httpx.Client(base_url=url, verify=False) as client:
        assert url.startswith("https:")
        data = {"name": "ana", "password": "a sentence only ana writes"}
        done = client.post("/login", data=data, headers={"origin": url})
        assert done.headers["set-cookie"].startswith("__Host-turret_session=")
        assert "Secure" in done.headers["set-cookie"]
        assert client.get("/").headers["location"] == "/demo"
        assert client.post("/login", data=data, headers={"origin": url.replace("https", "http")}).status_code == 403


def test_incomplete_tls_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.write_text("nothing")
    for options, problem in (
        ({"tls_certificate": file}, "Only one of tls_certificate and tls_key is set"),
        ({"tls_certificate": file, "tls_key": file}, f"TLS cannot be set up with {file}"),
        ({"tls_certificate": tmp_path / "none", "tls_key": file}, "TLS cannot be set up"),
    ):
        settings = DashboardSettings.model_validate({"data_dir": tmp_path, **options})
        with pytest.raises(TurretError, match=problem):
            configure_server(settings)


def test_a_server_without_tls_warns_where_others_can_listen() -> None:
    assert cleartext_warning(DashboardSettings()) is None
    assert cleartext_warning(DashboardSettings(host="0.0.0.0", trusted_proxies=["10.0.0.1"])) is None
    assert "without TLS" in str(cleartext_warning(DashboardSettings(host="0.0.0.0")))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("allowed_hosts", "https://a.example", "Invalid allowed_hosts .* without scheme, port and path"),
        ("host", "a b", "Invalid host 'a b'"),
        ("trusted_proxies", "proxy", "Invalid trusted_proxies"),
        ("session_hours", "0", "Invalid session_hours"),
        ("require_login", "maybe", "Invalid require_login"),
        ("projects", "login=/srv/x", "project name 'login' is the path of another page"),
    ],
)
def test_invalid_settings_are_rejected(monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str) -> None:
    monkeypatch.setenv(f"TURRET_DASHBOARD_{name.upper()}", value)
    with pytest.raises(TurretError, match=problem):
        load_dashboard_settings()
