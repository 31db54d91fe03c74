"""What scrubbing before storage finds in labelled sentences, beside Google's phonenumbers, and how fast it is.

    python -m turret_pipeline_tests.benchmarks.scrubbing [--rows 1000000] [--wrong]

Half A and B are drawn by a hash of the sentence; patterns were tuned on A only. Recall and precision are over marks.
Speed is the best of five, over documents of about 200 bytes of which 5 % hold an e-mail address, plain, and with a
UUID, a time, a time in milliseconds, a coordinate and a browser's name in every one.
"""

import argparse
import hashlib
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

import orjson
import polars as pl

from turret_pipeline.scrubbing import KINDS, scrub_documents, scrub_text
from turret_pipeline_tests.scrubbing.labelled import sentences

MARK = re.compile("<(EMAIL|PHONE|CARD|IBAN|IP|KEY)>")
REGIONS = ("US", "GB", "DE", "CH", "FR", "ES", "IT", "BR", "IN", "CN", "JP", "KR", "RU", "AU", "ZA")
WORDS = "how do i reset my password the invoice is wrong please refund order number shipping late photo export".split()


def half(text: str) -> str:
    """A, on which patterns are tuned, or B, on which they are not."""
    return "AB"[hashlib.sha256(text.encode()).digest()[0] % 2]


def scores(pairs: Sequence[tuple[str, str]], method: Callable[[str], str]) -> dict[str, tuple[float, float, int]]:
    """Recall, precision and how many there are, by kind."""
    right, there, found = Counter[str](), Counter[str](), Counter[str]()
    for text, expected in pairs:
        clean = method(text)
        marks, gold = Counter(MARK.findall(clean)), Counter(MARK.findall(expected))
        there += gold
        found += marks
        right += marks & gold if clean == expected else Counter()  # a mark on a part of it is none
    return {
        kind: (right[kind] / there[kind], right[kind] / max(found[kind], 1), there[kind])
        for kind in (kind.upper() for kind in KINDS)
        if there[kind]
    }


def phonenumbers_method(text: str) -> str:
    """What phonenumbers' matcher finds with any of REGIONS as the country of the text, which favours its recall."""
    import phonenumbers

    for region in REGIONS:
        for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, region))):
            text = text[: match.start] + "<PHONE>" + text[match.end :]
    return text


def phones_of_the_world() -> dict[str, tuple[int, int]]:
    """Of the example numbers that phonenumbers has for every region: how many are found, by how they are written."""
    import phonenumbers as google

    ways = {
        "+41 44 668 18 00": ("write to {} please", google.PhoneNumberFormat.INTERNATIONAL),
        "+41446681800": ("write to {} please", google.PhoneNumberFormat.E164),
        "044 668 18 00 after a word": ("my phone number: {}", google.PhoneNumberFormat.NATIONAL),
        "044 668 18 00 without one": ("it is {} thanks", google.PhoneNumberFormat.NATIONAL),
    }
    kinds = (google.PhoneNumberType.MOBILE, google.PhoneNumberType.FIXED_LINE)
    numbers = [google.example_number_for_type(region, kind) for region in google.SUPPORTED_REGIONS for kind in kinds]
    found = {}
    for way, (sentence, form) in ways.items():
        texts = [sentence.format(google.format_number(number, form)) for number in numbers if number]
        clean = [scrub_text(text, KINDS)[0] for text in texts]
        found[way] = (clean.count(sentence.format("<PHONE>")), len(texts))
    return found


def documents(count: int, is_rich: bool) -> pl.Series:
    """Metadata of events as text."""
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Print recall and precision by kind and half, and seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--wrong", action="store_true", help="print every sentence of half A that comes out wrongly")
    options = parser.parse_args(arguments)
    pairs = sentences()
    methods = {"turret": lambda text: scrub_text(text, KINDS)[0], "phonenumbers": phonenumbers_method}
    for name, method in methods.items():
        for part in "AB":
            of_part = [pair for pair in pairs if half(pair[0]) == part]
            print(f"\n{name}, half {part} ({len(of_part)} sentences)")
            for kind, (recall, precision, count) in scores(of_part, method).items():
                if name == "turret" or kind == "PHONE":
                    print(f"  {kind:6} recall {recall:.3f}  precision {precision:.3f}  of {count}")
    if options.wrong:
        for text, expected in pairs:
            if half(text) == "A" and (clean := methods["turret"](text)) != expected:
                print(f"{text}\n  {clean}")
    print("\nphone numbers of all regions")
    for way, (found, count) in phones_of_the_world().items():
        print(f"  {way:28} {found} of {count} ({found / count:.3f})")
    for is_rich in (False, True):
        rows = documents(options.rows, is_rich)
        seconds = min(_seconds(rows) for _ in range(5))
        print(f"\n{len(rows):,} documents of {rows.str.len_bytes().sum() // len(rows)} bytes: {seconds:.2f} s")


def _seconds(rows: pl.Series) -> float:
    started = time.perf_counter()
    scrub_documents(rows, KINDS)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
