"""Licences of the packages that a run needs: none may be unknown, and none may bind what is built with it."""

import importlib.metadata
import re
from pathlib import Path

from boolean.boolean import Expression
from license_expression import get_spdx_licensing

ROOT = Path(__file__).parents[1]
ALLOWED = frozenset(
    (
        "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 CNRI-Python HPND ISC MIT MIT-0 MIT-CMU PSF-2.0"
        " Unlicense Zlib"
        " MPL-2.0"  # binds only changes of its own files
    ).split()
)
CLASSIFIED = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
STATED = {
    "antlr4-python3-runtime": "BSD-3-Clause",
    "hdbscan": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "transformers": "Apache-2.0",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
}
"""Licences of packages whose metadata do not say them in a standard way, read in their licence files."""
CHOSEN = {"text-unidecode": "Artistic-1.0-Perl"}
"""Licences that are chosen where a package offers several and not all of them are allowed."""


def read_run_time_packages() -> list[str]:
    """Names of the packages that `make install` installs on this system."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = {*re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE), "torch"}
    installed = {re.sub("[-_.]+", "-", str(one.name)).lower() for one in importlib.metadata.distributions()}
    return sorted(names & installed)


def find_licence(name: str) -> str | None:
    """The licence of an installed package as an SPDX expression; None if it is not known."""
    if name in STATED:
        return STATED[name]
    found = importlib.metadata.metadata(name)
    for expression in found.get_all("License-Expression") or []:
        return str(expression)
    classified = [line.split(" :: ")[-1] for line in found.get_all("Classifier") or [] if line.startswith("License")]
    if not classified and _is_known(written := "".join(found.get_all("License") or [])):
        return written
    if not classified or not set(classified) <= CLASSIFIED.keys():
        return None
    return " AND ".join(CLASSIFIED[one] for one in classified)


def _is_known(licence: str) -> bool:
    return bool(licence) and not get_spdx_licensing().validate(licence).errors


def is_allowed(expression: str, chosen: str | None = None) -> bool:
    """True if all licences of an expression are allowed, or one of those it offers."""
    return _is_allowed(get_spdx_licensing().parse(expression, validate=True), ALLOWED | {chosen})


def _is_allowed(node: Expression, allowed: frozenset[str | None]) -> bool:
    if operator := (getattr(node, "operator", None) or "").strip():
        results = [_is_allowed(one, allowed) for one in node.args]
        return all(results) if operator == "AND" else any(results)
    return str(node).split(" WITH ", maxsplit=1)[0] in allowed


def test_every_run_time_package_has_a_licence_that_is_allowed() -> None:
    licences = {name: find_licence(name) for name in read_run_time_packages()}
    assert len(licences) > 100
    wrong = {name: one for name, one in licences.items() if one is None or not is_allowed(one, CHOSEN.get(name))}
    assert wrong == {}


def test_copyleft_and_unknown_licences_are_not_allowed() -> None:
    assert not is_allowed("GPL-3.0-only")
    assert not is_allowed("AGPL-3.0-or-later")
    assert not is_allowed("MIT AND LGPL-2.1-only")
    assert is_allowed("MIT OR GPL-2.0-only")
    assert is_allowed("Apache-2.0 WITH LLVM-exception")
