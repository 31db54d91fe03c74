"""Configuration: environment over turret.toml over defaults."""

from pathlib import Path

import pytest

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline.scrubbing import KINDS


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "data"
    assert settings.input_patterns == [str(tmp_path / "data" / "landing")]


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "turret.toml").write_text('seed = 1\ntopic_min_texts = 4\ninputs = ["a.jsonl"]\n')
    monkeypatch.setenv("TURRET_SEED", "2")
    monkeypatch.setenv("TURRET_INPUTS", "b.jsonl, c/*.csv")
    settings = load_settings(data_dir=Path("there"), seed=None)
    assert (settings.seed, settings.topic_min_texts, settings.data_dir) == (2, 4, tmp_path / "there")
    assert settings.inputs == ["b.jsonl", "c/*.csv"]


def test_a_misspelt_name_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "turret.toml").write_text("topic_flor = 0.3\n")
    with pytest.raises(TurretError, match=r"Unknown setting 'topic_flor' in turret.toml. Did you mean topic_floor"):
        load_settings()


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "turret.toml").write_text("seed: 1\n")
    with pytest.raises(TurretError, match=r"turret\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("topic_floor", 2, "less than or equal to 1"),
        ("field_types", {"prompt": "txt"}, "unknown type 'txt' of field 'prompt': use text, enum"),
        ("input_format", "postdog", "use one of auto, "),
        (
            "input_format",
            "mapping",
            r"input_format is mapping, but turret.toml has no \[mapping\]: add one with event_name",
        ),
        ("mapping", {"event_name": "a", "user": "b"}, "Unknown key 'user' in mapping. Did you mean user_id"),
        ("mapping", {"user_id": "b"}, 'Missing key event_name in mapping: write event_name = "a column"'),
        ("mapping", 3, r"Invalid mapping 3 .variable TURRET_MAPPING.: write a table \[mapping\] in turret.toml"),
        ("outcomes", {"resolvd": "a"}, "Unknown key 'resolvd' in outcomes. Did you mean resolved"),
        ("outcomes", {"resolved": 3}, "Invalid resolved 3 in outcomes: use the name of an event"),
        ("outcomes", {"resolved": ["a", ""]}, "Invalid resolved '' in outcomes"),
        ("mapping", {"event_name": 3}, "Invalid event_name 3 in mapping: use the name of a column"),
        (
            "mapping",
            {"messages": "a", "prompt": "b"},
            "mapping has messages and prompt: keep messages, .* or prompt\\.",
        ),
        ("mapping", {"prompt": 3}, "Invalid prompt 3 in mapping: use the name of a column"),
        ("mapping", "action", "Invalid mapping 'action' .variable TURRET_MAPPING.:"),
        ("input_time_zone", "europe", "unknown time zone 'europe': use a name like UTC or Europe/Zurich"),
        ("schedule_timezone", "Mars", "unknown time zone 'Mars': use a name like UTC"),
        ("llm_base_url", "localhost:11434", "starts with http:// or https://"),
    ],
)
def test_a_wrong_value_is_told_with_its_limit(name: str, value: object, verdict: str) -> None:
    with pytest.raises(TurretError, match=verdict):
        load_settings(**{name: value})


def test_the_hash_changes_with_what_changes_the_numbers_only() -> None:
    plain = load_settings().sha256()
    assert load_settings(data_dir=Path("elsewhere"), inputs=["x"], embedding_device="cpu").sha256() == plain
    assert load_settings(object_store="s3://bucket").sha256() == plain
    assert load_settings(seed=1).sha256() != plain


def test_each_project_has_a_place_of_its_own_on_the_object_store(tmp_path: Path) -> None:
    project = tmp_path / "projects" / "demo"
    assert load_settings(data_dir=tmp_path, object_store="s3://bucket/a/").object_store_url == "s3://bucket/a/"
    assert load_settings(data_dir=project, object_store="s3://bucket/a/").object_store_url == (
        "s3://bucket/a/projects/demo"
    )
    assert load_settings(data_dir=project).object_store_url == ""


def test_the_hash_knows_which_llm_names_but_no_key_price_or_patience() -> None:
    named = load_settings(llm_model="small").sha256()
    assert named != load_settings().sha256()
    assert named != load_settings(llm_model="small", llm_base_url="http://localhost/v1").sha256()
    how = {"llm_api_key": "sk-not-for-anyone", "llm_price_input": 2, "llm_price_output": 8, "llm_timeout_seconds": 5}
    assert load_settings(llm_model="small", **how).sha256() == named


@pytest.mark.parametrize("value", ["sk-not-for-anyone", ["sk-not-for-anyone"]])
def test_a_key_is_never_shown(value: object) -> None:
    try:
        shown = str(load_settings(llm_api_key=value))
    except TurretError as error:
        shown = str(error)
        assert "llm_api_key" in shown
    assert "sk-not" not in shown


def test_the_mapping_comes_from_the_file_or_as_json_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().selected_format is None
    (tmp_path / "turret.toml").write_text('[mapping]\nevent_name = "action"\nuser_id = ["customer.id", "visitor"]\n')
    found = load_settings().selected_format
    assert found is not None
    assert (found.name, found.columns.event_name, found.columns.user_id) == (
        "mapping",
        ("action",),
        ("customer.id", "visitor"),
    )
    (tmp_path / "turret.toml").unlink()
    monkeypatch.setenv("TURRET_MAPPING", '{"event_name": "=Asked"}')
    assert load_settings().mapping == ColumnMapping(event_name=("=Asked",))
    named = load_settings(input_format="posthog").selected_format
    assert named is not None
    assert named.name == "posthog"


def test_the_hash_knows_the_format_and_the_mapping() -> None:
    hashes = {
        load_settings().sha256(),
        load_settings(input_format="posthog").sha256(),
        load_settings(mapping={"event_name": "a"}).sha256(),
        load_settings(mapping={"event_name": "b"}).sha256(),
    }
    assert len(hashes) == 4


def test_each_kind_is_scrubbed_unless_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().scrubbed_kinds == set(KINDS)
    monkeypatch.setenv("TURRET_SCRUB_PHONES", "false")
    assert load_settings(scrub_ips=False).scrubbed_kinds == {"email", "card", "iban", "key", "national_id"}
    assert load_settings(scrub_ips=False).sha256() != load_settings().sha256()


def test_the_hash_knows_which_salt_and_nothing_shows_it() -> None:
    salted = load_settings(user_id_salt="not-for-anyone")
    assert salted.user_id_salt is not None
    assert salted.user_id_salt.get_secret_value() == "not-for-anyone"
    assert salted.sha256() == load_settings(user_id_salt="not-for-anyone").sha256()
    assert len({salted.sha256(), load_settings().sha256(), load_settings(user_id_salt="not-for-you").sha256()}) == 3
    assert "not-for" not in f"{salted!r} {salted} {salted.model_dump_json()}"


def test_a_salt_that_is_too_short_is_refused_and_not_shown() -> None:
    with pytest.raises(TurretError, match=r"user_id_salt \(a secret\) .* at least 8") as refused:
        load_settings(user_id_salt="s4lt")
    assert "s4lt" not in str(refused.value)
