"""`turret access`: who may open the dashboard."""

import getpass
import sys
from typing import Annotated

import orjson
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, write_json, write_text
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.dashboard import DashboardSettings, load_dashboard_settings
from turret_pipeline.config.pipeline import reject_unknown_names
from turret_pipeline.dashboard.credentials import ROLES, Credential, CredentialFile, Role
from turret_pipeline.errors import TurretError, list_names

access = typer.Typer(
    help="Manage names and tokens that may open the dashboard.",
    epilog="Examples: turret access add ana; turret access add reports --token --project shop; turret access list; "
    "turret access remove ana",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a person or script.")]


@access.command(epilog="Examples: turret access add ana --role admin; turret access add reports --token")
def add(
    name: Name,
    role: Annotated[
        str, typer.Option("--role", help="viewer, or admin, who may change topics, fields, views and keys.")
    ] = "viewer",
    is_token: Annotated[bool, typer.Option("--token", help="Make a token for scripts and print it once.")] = False,
    projects: Annotated[
        list[str] | None, typer.Option("--project", help="Project to open; repeatable.  [default: all]")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let a person or a script open the dashboard.

    A person logs in with a password, which the command asks for, or reads from the first line of standard input. A
    script sends a token in the header `Authorization: Bearer TOKEN`, and can only read. A running dashboard knows the
    change at once.
    """
    settings = _load_settings(data_dir=data_dir)
    file, checked_role = CredentialFile(settings.folder), _check_role(role)
    chosen = _check_projects(projects or [], settings)
    console = new_console()
    if is_token:
        text, credential = file.add_token(name, checked_role, chosen)
        console.print_lines(f"{_describe(credential)} Its token is shown only once:")
        write_text(f"{text}\n")
        return
    file.check_new(name)
    console.print_lines(_describe(file.add_password(name, checked_role, _ask_password(), chosen)))


@access.command("list")
def list_access(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per name.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """List all names with their roles and projects. Passwords and tokens are stored as hashes and never shown."""
    credentials = CredentialFile(_load_settings(data_dir=data_dir).folder).read()
    rows = [_build_row(credential) for credential in credentials.by_name.values()]
    if as_json:
        write_json(orjson.dumps(rows).decode())
        return
    nobody = "Nobody has access by name yet: create one with turret access add NAME."
    new_console(stderr=False).print(_build_table(rows) if rows else nobody)


@access.command(epilog="Example: turret access remove ana")
def remove(name: Name, data_dir: DataDirOption = None) -> None:
    """Remove a name, its sessions and its token."""
    left = CredentialFile(_load_settings(data_dir=data_dir).folder).remove(name)
    console = new_console(stderr=False)
    console.print_lines(f"{name} has no access any longer.")
    if not left:
        console.print_lines(
            "No name is left: a running dashboard lets nobody in, and the next one asks for no login on this machine, "
            "or does not start if others can reach it."
        )


def _load_settings(**overrides: object) -> DashboardSettings:
    """Settings of the dashboard. Raises TurretError for an invalid one, and for any unknown name in turret.toml."""
    settings = load_dashboard_settings(**overrides)
    reject_unknown_names()
    return settings


def _check_role(text: str) -> Role:
    for role in ROLES:
        if text == role:
            return role
    raise TurretError(f"Invalid role {text!r}: use {' or '.join(ROLES)}.")


def _check_projects(names: list[str], settings: DashboardSettings) -> list[str]:
    """The projects, each once. Raises TurretError for an unknown one."""
    for name in names:
        if name not in settings.folders:
            raise TurretError(f"Unknown project {name!r}. Known projects: {list_names([*settings.folders])}.")
    return list(dict.fromkeys(names))


def _ask_password() -> str:
    """The password, typed twice without an echo, or the first line of standard input of a script."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Repeat it: ") != password:
        raise TurretError("The passwords differ. Run the command again.")
    return password


def _describe(credential: Credential) -> str:
    places = f"the projects {', '.join(credential.projects)}" if credential.projects else "all projects"
    return f"{credential.name} may open {places} as {credential.role}, with a {credential.kind}."


def _build_row(credential: Credential) -> dict[str, object]:
    return {
        "name": credential.name,
        "role": credential.role,
        "kind": credential.kind,
        "projects": credential.projects,
        "created_at": credential.created_at,
    }


def _build_table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("name", "role", "kind", "projects", "created"):
        table.add_column(name)
    for row in rows:
        projects = ", ".join(map(str, row["projects"])) if isinstance(row["projects"], tuple) else ""
        table.add_row(*(str(row[name]) for name in ("name", "role", "kind")), projects or "all", str(row["created_at"]))
    return table
