"""Posts events to a running collector, with patience: what `turret send` uses."""

import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from turret_pipeline.collector.paths import V1_EVENTS
from turret_pipeline.errors import TurretError

_TIMEOUT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 30
_PASSING = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Answer:
    """What became of a batch: how many were stored, and the place and reason of each that was not."""

    accepted: int
    refused: list[tuple[int, str]]


class Client:
    """A connection to a collector with a key."""

    def __init__(self, url: str, key: str, tries: int) -> None:
        self._url = url + V1_EVENTS
        self._tries = tries
        self._session = requests.Session()
        self._session.headers.update(
            {"x-api-key": key, "content-type": "application/x-ndjson", "content-encoding": "gzip"}
        )

    def send(self, lines: Sequence[bytes]) -> Answer:
        """Post a batch until it is stored. Trying again is safe: the collector knows a body that it has stored.

        Raises TurretError where it says that trying again is of no use, or did not answer as often as was tried.
        """
        body = gzip.compress(b"\n".join(lines), compresslevel=5, mtime=0)
        complaint = ""
        for attempt in range(self._tries):
            wait = min(2**attempt / 2, _LONGEST_WAIT_SECONDS)
            try:
                answer = self._session.post(self._url, data=body, timeout=_TIMEOUT_SECONDS)
            except requests.RequestException as error:
                complaint = f"{self._url} does not answer ({type(error).__name__})."
            else:
                if answer.status_code == 200:
                    return _answer(answer.json())
                complaint = _sentence(answer)
                if answer.status_code not in _PASSING:
                    break
                wait = max(wait, _asked_to_wait(answer))
                if wait > _LONGEST_WAIT_SECONDS:
                    break
            if attempt < self._tries - 1:
                time.sleep(wait)
        raise TurretError(f"{complaint} What was sent so far is kept; the same command goes on from there.")


def _answer(body: dict[str, Any]) -> Answer:
    refused = [(item["index"], item["error"]) for item in body["results"] if item["status"] == "rejected"]
    return Answer(body["accepted"], refused)


def _asked_to_wait(answer: requests.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0


def _sentence(answer: requests.Response) -> str:
    try:
        told = str(answer.json()["error"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        told = "no reason was given"
    return f"The collector answered {answer.status_code}: {told.rstrip('.')}."
