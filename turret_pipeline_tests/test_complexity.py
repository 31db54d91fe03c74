"""The time of decoders and parsers grows in proportion to their input. The benchmark has larger inputs."""

import pytest

from turret_pipeline.collector.endpoints import TRUBRICS_PARSERS
from turret_pipeline.collector.paths import TRACK, V1_EVENTS
from turret_pipeline.events.formats import FORMATS
from turret_pipeline_tests.benchmarks.complexity import MAX_EXPONENT, measure_steadily
from turret_pipeline_tests.benchmarks.complexity_cases import EXEMPT, list_cases, list_text_functions
from turret_pipeline_tests.benchmarks.complexity_inputs import Case
from turret_pipeline_tests.benchmarks.fuzz import NAMES

MAX_BYTES = 8192
QUICK = 20
"""One case in so many is measured here, so that all functions, formats and files have some; the benchmark has all."""


@pytest.mark.slow
def test_no_decoder_or_parser_takes_more_than_in_proportion_to_its_input() -> None:
    growths = [measure_steadily(case, MAX_BYTES) for case in list_cases()[::QUICK]]
    assert len(growths) > 500
    assert {growth.case.name: growth.exponent for growth in growths if growth.is_steep} == {}


def test_a_quadratic_function_is_found() -> None:
    def count_pairs(text: str) -> int:
        return sum(1 for first in text for second in text if first < second)

    assert measure_steadily(Case("pairs", lambda size: "a" * (size // 4), count_pairs), MAX_BYTES).exponent > 1.7
    linear = Case("linear", lambda size: "a" * size * 50, lambda text: [letter for letter in text if letter < "b"])
    assert measure_steadily(linear, MAX_BYTES).exponent < MAX_EXPONENT


def test_every_registered_parser_has_cases() -> None:
    names = [case.name for case in list_cases()]
    starts = {name.split(": ")[0] for name in names}
    assert {f"format {name}" for name in FORMATS} <= starts
    assert {f"file {name}" for name in NAMES} <= starts
    assert {*TRUBRICS_PARSERS, TRACK, V1_EVENTS} <= starts
    assert set(list_text_functions()) - set(EXEMPT) <= starts
    assert {"json_repair.load_json", "scrubbing.keys.scrub_keys", "reports.scope.parse_segment"} <= starts
    assert len(set(names)) == len(names)
