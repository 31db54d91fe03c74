"""Values and bodies of the kinds that broke PostHog, Sentry, Segment and their clients.

NUL characters and half surrogates that databases reject, numbers that JSON or a column cannot hold, times out of range,
deep and wide objects, keys that JavaScript or a query treats as its own, ids that are a bug's text, and bodies that are
encoded wrongly or twice.
"""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any


class Raw(str):
    """JSON text that is written as it is, because Python's encoder would not write it."""

    __slots__ = ()


VALUES: Mapping[str, Any] = {
    "nul": "a\x00b",
    "only nul": "\x00",
    "escaped nul": r"a\u0000b",
    "controls": "\x01\x08\x0b\x1b[2J\x7f\x85\u2028\u2029",
    "half surrogate": Raw(r'"cut \ud83d"'),
    "low surrogate": Raw(r'"\udc00 first"'),
    "reversed surrogates": Raw(r'"\ude00\ud83d"'),
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "byte order mark": "\ufefftext",
    "direction": "\u202eevil\u2066",
    "combining": "e" + "\u0301" * 500,
    "empty": "",
    "blank": " \t\n",
    "null text": "null",
    "undefined text": "undefined",
    "object text": "[object Object]",
    "not a number text": "NaN",
    "none text": "None",
    "true text": "true",
    "anonymous": "anonymous",
    "zeros": "00000000-0000-0000-0000-000000000000",
    "email": "a@example.com",
    "quotes": "\"'`; drop table events; --",
    "template": "${jndi:ldap://x} {{7*7}} %s %n",
    "markup": "<script>alert(1)</script>",
    "json in text": '{"a": "{\\"b\\": 1}"}',
    "twice encoded": json.dumps(json.dumps({"a": 1})),
    "long": "x" * 9_000,
    "true": True,
    "null": None,
    "zero": 0,
    "minus zero": Raw("-0.0"),
    "64 bits": 2**63 - 1,
    "over 64 bits": 2**64,
    "huge integer": Raw("9" * 400),
    "huge float": Raw("1e400"),
    "tiny float": Raw("1e-400"),
    "NaN": Raw("NaN"),
    "Infinity": Raw("-Infinity"),
    "many digits": Raw("0." + "1" * 1000),
    "negative time": -1,
    "nanoseconds": 1_777_629_600_000_000_000,
    "year 0": "0000-01-01T00:00:00Z",
    "year 1": "0001-01-01T00:00:00Z",
    "year 9999": "9999-12-31T23:59:59.999999Z",
    "year 292278994": "+292278994-08-17T07:12:55.807Z",
    "leap second": "2026-06-30T23:59:60Z",
    "no such day": "2026-02-30T10:00:00Z",
    "odd zone": "2026-05-01T10:00:00+99:99",
    "empty array": [],
    "empty object": {},
    "array": ["a", 1, None, {"b": []}],
    "object": {"id": 1},
    "mixed array": [1, "1", 1.0, True, None, [], {}],
    "deep": Raw('{"a":' * 10 + "1" + "}" * 10),
    "deeper": Raw('{"a":' * 500 + "1" + "}" * 500),
    "far too deep": Raw("[" * 100_000 + "]" * 100_000),
    "unclosed": Raw('{"a": '),
    "long array": list(range(3000)),
    "wide": {f"key {number}": number for number in range(100)},
    "too wide": {f"key {number}": number for number in range(20_000)},
}
"""Values at any place of an event."""

KEYS: Mapping[str, str] = {
    name: text
    for name, text in VALUES.items()
    if isinstance(text, str) and (not isinstance(text, Raw) or text.startswith('"'))
} | {
    "prototype": "__proto__",
    "constructor": "constructor",
    "length": "length",
    "to string": "toString",
    "dots": "a.b..c.",
    "dollar": "$set",
    "where": "$where",
    "own": "$thread_id",
    "slash": "a/b~c",
    "brackets": "a[0][]",
    "colon": "a:b",
    "field": "event_id",
    "time": "timestamp",
    "text": "prompt",
    "nested names": "metadata",
    "megabyte": "k" * 1_000_000,
}
"""Keys in metadata."""


def encode(value: object) -> str:
    """JSON in which texts of Raw stay as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode(key)}:{encode(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)


def list_bodies(event: Mapping[str, Any], good: bytes) -> dict[str, bytes]:
    """Bodies that hold poisoned events of one endpoint, by name; ``good`` is the body of an event that is in order."""
    container = next((name for name in ("metadata", "properties", "traits") if name in event), "properties")
    events: dict[str, Mapping[str, Any]] = {
        f"{field}: {name}": {**event, field: value} for field in event for name, value in VALUES.items()
    }
    events |= {f"value: {name}": {**event, container: {"a": value}} for name, value in VALUES.items()}
    events |= {f"key: {name}": {**event, container: {key: 1, "a": {key: [key]}}} for name, key in KEYS.items()}
    events |= {f"field: {name}": {**event, key: "x"} for name, key in KEYS.items()}
    bodies = {name: encode(poisoned).encode("utf-8", "surrogatepass") for name, poisoned in events.items()}
    text = encode(event).removesuffix("}")
    bodies["duplicate keys"] = f'{text},"{container}":{{"a":1,"a":"two"}},"{container}":{{"a":[3]}}}}'.encode()
    return bodies | list_broken_bodies(good)


def list_broken_bodies(good: bytes) -> dict[str, bytes]:
    """Bodies that are no JSON of events, or encoded in another way than they say."""
    return {
        "nothing": b"",
        "nul bytes": bytes(100),
        "invalid UTF-8": good.replace(b"}", b',"x":"\xff\xfe\xc3("}', 1),
        "surrogate bytes": good.replace(b"}", b',"x":"\xed\xa0\x80"}', 1),
        "byte order mark first": b"\xef\xbb\xbf" + good,
        "UTF-16": good.decode().encode("utf-16"),
        "UTF-32": good.decode().encode("utf-32"),
        "Latin-1": good.replace(b"}", ',"x":"é"}'.encode("latin-1"), 1),
        "encoded twice": json.dumps(good.decode()).encode(),
        "in an array in an array": b"[[" + good + b"]]",
        "batch object": b'{"batch":[' + good + b"]}",
        "form": b"data=" + good,
        "base64": b"eyJuYW1lIjogIngifQ==",
        "gzip without its header": gzip.compress(good, mtime=0),
        "deflate": zlib.compress(good),
        "trailing comma": good[:-1] + b",}",
        "comment": b"/* */" + good,
        "single quotes": good.replace(b'"', b"'"),
        "two values": good + good,
        "cut": good[: len(good) // 2],
        "a number": b"1",
        "null": b"null",
        "a text": b'"text"',
        "empty objects": b"[{},{},{}]",
        "nulls": b"[null,null]",
    }
