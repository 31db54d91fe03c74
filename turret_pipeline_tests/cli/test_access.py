"""`turret access`: names, passwords and tokens, and the file of them."""

import json
import stat
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.dashboard.credentials import CredentialFile, CurrentCredentials
from turret_pipeline.dashboard.passwords import hash_password, verify_password
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.commands import installed_turret

PASSWORD = "a sentence only ana writes"


def call(folder: Path, *words: str, typed: str = "") -> tuple[str, str]:
    """Standard output and error of `turret access`. Raises the TurretError of the command."""
    done = CliRunner().invoke(app, ["access", *words, "--data-dir", str(folder)], input=typed)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_people_and_scripts_are_added_listed_and_removed(tmp_path: Path) -> None:
    assert "Nobody has access" in call(tmp_path, "list")[0]
    written, said = call(tmp_path, "add", "ana", "--role", "admin", typed=f"{PASSWORD}\n")
    assert (written, "ana may open all projects as admin, with a password." in said) == ("", True)
    token, said = call(tmp_path, "add", "reports", "--token", "--project", "default", "--project", "default")
    assert "reports may open the projects default as viewer, with a token. Its token is shown only once:" in said
    rows = json.loads(call(tmp_path, "list", "--json")[0])
    assert [(row["name"], row["role"], row["kind"], row["projects"]) for row in rows] == [
        ("ana", "admin", "password", []),
        ("reports", "viewer", "token", ["default"]),
    ]
    file = CredentialFile(tmp_path / "dashboard")
    assert (found := file.read().find_token(token.strip())) is not None
    assert found.name == "reports"
    assert file.read().find_person("reports") is None
    stored = file.path.read_text()
    assert PASSWORD not in stored
    assert token.strip() not in stored
    assert "reports has no access any longer." in call(tmp_path, "remove", "reports")[0]
    assert "No name is left" in call(tmp_path, "remove", "ana")[0]
    assert file.read().by_name == {}


def test_only_the_owner_can_read_the_file_also_after_a_mistake(tmp_path: Path) -> None:
    call(tmp_path, "add", "script", "--token")
    file = CredentialFile(tmp_path / "dashboard")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.path.parent, file.path)]
    assert modes == [0o700, 0o600]
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["credentials.json", "credentials.lock"]
    file.path.chmod(0o644)
    CurrentCredentials(file)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "typed", "problem"),
    [
        (["ana", "--role", "owner"], "", "Invalid role 'owner': use viewer or admin."),
        (["ana", "--project", "shop"], "", "Unknown project 'shop'. Known projects: default."),
        (["a b"], "", "Invalid name 'a b'"),
        (["-"], "", "Invalid name '-'"),
        (["taken"], "", "taken has access already: run `turret access remove taken` first"),
        (["ana"], "", "The password has 0 characters: use 15 to 1,000"),
        (["ana"], "short\n", "The password has 5 characters"),
    ],
)
def test_invalid_arguments_are_rejected(tmp_path: Path, words: list[str], typed: str, problem: str) -> None:
    call(tmp_path, "add", "taken", "--token")
    with pytest.raises(TurretError) as error:
        call(tmp_path, "add", *words, typed=typed)
    assert problem in str(error.value)
    assert list(CredentialFile(tmp_path / "dashboard").read().by_name) == ["taken"]


def test_an_unknown_name_cannot_be_removed_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TurretError, match=r"Unknown name 'ana'\. Names with access: none\."):
        call(tmp_path, "remove", "ana")
    file = CredentialFile(tmp_path / "dashboard")
    for damage in ("", "{}", '{"credentials": [1]}', '{"credentials": [{"name": "x"}]}', "[]"):
        file.path.write_text(damage)
        with pytest.raises(TurretError, match=r"credentials.json cannot be read: .*restore it from a backup"):
            call(tmp_path, "list")


def test_names_that_are_added_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    file = CredentialFile(tmp_path / "dashboard")
    names = [f"script{number}" for number in range(20)]
    threads = [threading.Thread(target=file.add_token, args=(name, "viewer")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(file.read().by_name) == sorted(names)


def test_a_password_is_known_however_its_letters_are_composed() -> None:
    stored = hash_password("un caf\u00e9 noir pour moi")
    assert verify_password("un cafe\u0301 noir pour moi", stored)
    assert not verify_password("un cafe noir pour moi", stored)
    assert not verify_password("", stored)
    assert not verify_password("anything", None)
    assert hash_password("un caf\u00e9 noir pour moi") != stored


def test_a_dashboard_for_others_refuses_to_start_and_says_how_to_add_a_name(tmp_path: Path) -> None:
    done = installed_turret("dashboard", "--host", "0.0.0.0", "--port", "0", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody can log in" in done.stderr
    assert "turret access add NAME --role admin" in done.stderr
    assert not (tmp_path / "dashboard").exists()
