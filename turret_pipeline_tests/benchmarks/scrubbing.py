"""Recall, precision and speed of scrubbing before storage, compared with Google's phonenumbers.

    python -m turret_pipeline_tests.benchmarks.scrubbing [--rows 1000000] [--wrong]

A hash of each labelled sentence assigns it to half A or B; the patterns were tuned on A only. Recall and precision
count marks. Wild texts have secrets and personal data as people and programs write them; harmless ones look like them.
Speed is the best of five runs over documents of about 200 bytes, of which 5 % hold an e-mail address: once
plain, and once with a UUID, a time, a time in milliseconds, a coordinate and a browser name in every document.
"""

import argparse
import hashlib
import importlib.util
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import orjson
import polars as pl

from turret_pipeline.scrubbing import KINDS, scrub_documents, scrub_text
from turret_pipeline_tests.scrubbing.labelled import sentences
from turret_pipeline_tests.scrubbing.wild import count_results

MARK = re.compile("<(EMAIL|PHONE|CARD|IBAN|IP|KEY|NATIONAL_ID)>")
REGIONS = ("US", "GB", "DE", "CH", "FR", "ES", "IT", "BR", "IN", "CN", "JP", "KR", "RU", "AU", "ZA")
WORDS = "how do i reset my password the invoice is wrong please refund order number shipping late photo export".split()


def assign_half(text: str) -> str:
    """Half of a sentence: "A", on which the patterns are tuned, or "B"."""
    return "AB"[hashlib.sha256(text.encode()).digest()[0] % 2]


def compute_scores(
    pairs: Sequence[tuple[str, str]], method: Callable[[str], str]
) -> dict[str, tuple[float, float, int]]:
    """Recall, precision and number of expected marks, by kind."""
    correct, expected_count, found = Counter[str](), Counter[str](), Counter[str]()
    for text, expected in pairs:
        clean = method(text)
        marks, gold = Counter(MARK.findall(clean)), Counter(MARK.findall(expected))
        expected_count += gold
        found += marks
        correct += marks & gold if clean == expected else Counter()  # a mark for only a part does not count
    return {
        kind: (correct[kind] / expected_count[kind], correct[kind] / max(found[kind], 1), expected_count[kind])
        for kind in (kind.upper() for kind in KINDS)
        if expected_count[kind]
    }


def scrub_with_phonenumbers(text: str) -> str:
    """The text with marks where phonenumbers finds a number in any of REGIONS, which favours its recall."""
    import phonenumbers

    for region in REGIONS:
        for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, region))):
            text = text[: match.start] + "<PHONE>" + text[match.end :]
    return text


def count_regional_phones() -> dict[str, tuple[int, int]]:
    """Number of phonenumbers' example numbers of all regions that are found, and their total, by spelling."""
    import phonenumbers as google

    spellings = {
        "+41 44 668 18 00": ("write to {} please", google.PhoneNumberFormat.INTERNATIONAL),
        "+41446681800": ("write to {} please", google.PhoneNumberFormat.E164),
        "044 668 18 00 after a word": ("my phone number: {}", google.PhoneNumberFormat.NATIONAL),
        "044 668 18 00 without one": ("it is {} thanks", google.PhoneNumberFormat.NATIONAL),
    }
    kinds = (google.PhoneNumberType.MOBILE, google.PhoneNumberType.FIXED_LINE)
    numbers = [google.example_number_for_type(region, kind) for region in google.SUPPORTED_REGIONS for kind in kinds]
    found = {}
    for spelling, (sentence, form) in spellings.items():
        texts = [sentence.format(google.format_number(number, form)) for number in numbers if number]
        clean = [scrub_text(text, KINDS)[0] for text in texts]
        found[spelling] = (clean.count(sentence.format("<PHONE>")), len(texts))
    return found


def build_documents(count: int, is_rich: bool) -> pl.Series:
    """Metadata of invented events as JSON text."""
    draw = random.Random(1)
    rows = []
    for number in range(count):
        prompt = " ".join(draw.choices(WORDS, k=draw.randrange(6, 18)))
        row = {
            "plan": draw.choice(["free", "pro"]),
            "latency": round(draw.expovariate(1), 3),
            "tokens": draw.randrange(2000),
            "version": f"1.{draw.randrange(20)}",
            "device": draw.choice(["ios", "mobile"]),
            "prompt": prompt + (f" mail jo{number}@example.com" if number % 20 == 0 else ""),
        }
        if is_rich:
            row |= {
                "request_id": str(uuid.UUID(int=draw.getrandbits(128))),
                "at": f"2026-01-0{number % 9 + 1}T00:{number % 60:02}:03.801826+00:00",
                "ms": 1767225600000 + number,
                "latitude": round(47 + draw.random(), 7),
                "browser": "Mozilla/5.0 (X11) Chrome/120.0.0.0",
            }
        rows.append(orjson.dumps(row).decode())
    return pl.Series(rows)


def _print_wild(scrub: Callable[[str], str]) -> None:
    for part in "AB":
        print(f"\nwild texts, half {part}")
        for kind, (right, count) in count_results(part, scrub).items():
            verb = "unchanged" if kind == "harmless" else "found"
            print(f"  {kind:12} {verb:9} {right} of {count} ({right / count:.3f})")


def _print_scores(pairs: Sequence[tuple[str, str]], methods: Mapping[str, Callable[[str], str]]) -> None:
    for name, method in methods.items():
        for part in "AB":
            half = [pair for pair in pairs if assign_half(pair[0]) == part]
            print(f"\n{name}, half {part} ({len(half)} sentences)")
            for kind, (recall, precision, count) in compute_scores(half, method).items():
                if name == "turret" or kind == "PHONE":
                    print(f"  {kind:6} recall {recall:.3f}  precision {precision:.3f}  of {count}")


def _print_regional_phones() -> None:
    print("\nphone numbers of all regions")
    for spelling, (found, count) in count_regional_phones().items():
        print(f"  {spelling:28} {found} of {count} ({found / count:.3f})")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print recall and precision by kind and half, and the seconds of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--wrong", action="store_true", help="print the sentences of half A with a wrong result")
    options = parser.parse_args(arguments)
    pairs = sentences()
    methods: dict[str, Callable[[str], str]] = {"turret": lambda text: scrub_text(text, KINDS)[0]}
    has_peer = importlib.util.find_spec("phonenumbers") is not None
    if has_peer:
        methods["phonenumbers"] = scrub_with_phonenumbers
    else:
        print("phonenumbers is not installed: only Turret is measured. Install the extra bench to compare.")
    _print_scores(pairs, methods)
    if options.wrong:
        for text, expected in pairs:
            if assign_half(text) == "A" and (clean := methods["turret"](text)) != expected:
                print(f"{text}\n  {clean}")
    _print_wild(methods["turret"])
    if has_peer:
        _print_regional_phones()
    for is_rich in (False, True):
        rows = build_documents(options.rows, is_rich)
        seconds = min(_measure_seconds(rows) for _ in range(5))
        print(f"\n{len(rows):,} documents of {rows.str.len_bytes().sum() // len(rows)} bytes: {seconds:.2f} s")


def _measure_seconds(rows: pl.Series) -> float:
    started = time.perf_counter()
    scrub_documents(rows, KINDS)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
