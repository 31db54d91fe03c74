"""The table [mapping] of turret.toml, written beside anything else in the file."""

import tomllib

import pytest

from turret_pipeline.config.mapping_table import replace_mapping, write_mapping_toml
from turret_pipeline.events.formats.mapping import ColumnMapping

MAPPING = ColumnMapping(event_name=("what",), session_id=("visit", "a.b"), metadata=("c",))
TOML = '[mapping]\nevent_name = "what"\nsession_id = ["visit", "a.b"]\nmetadata = ["c"]\n'


def test_a_mapping_as_toml_is_the_same_mapping_when_it_is_read() -> None:
    assert write_mapping_toml(MAPPING) == TOML
    odd = ColumnMapping(event_name=('=He said "x"\\n\n', "#", "ü.[0]"), metadata=())
    assert ColumnMapping.model_validate(tomllib.loads(write_mapping_toml(odd))["mapping"]) == odd


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", TOML),
        ("# only this\n", f"# only this\n\n{TOML}"),
        ("seed = 7  # lucky\n[collector]\nport = 1 # x", f"seed = 7  # lucky\n[collector]\nport = 1 # x\n\n{TOML}"),
        ('[mapping]\nevent_name = "old" # mine\nuser_id = "u"\n', TOML),
        (
            'seed = 7\n\n[mapping] # top\nevent_name = "old"\n\n# about the collector\n[collector]\nport = 1\n',
            f"seed = 7\n\n{TOML.replace(']', '] # top', 1)}\n# about the collector\n[collector]\nport = 1\n",
        ),
        (
            'mapping = {event_name = "old"}\nseed = 7\n[collector]\nport = 1\n',
            f"seed = 7\n[collector]\nport = 1\n\n{TOML}",
        ),
        ('mapping.event_name = "old"\nseed = 7\n', f"seed = 7\n\n{TOML}"),
    ],
)
def test_the_rest_of_the_file_stays_as_it_is(before: str, after: str) -> None:
    changed = replace_mapping(before, MAPPING)
    assert changed == after
    assert replace_mapping(changed, MAPPING) == changed
    assert tomllib.loads(changed) == {**tomllib.loads(before), **tomllib.loads(TOML)}
