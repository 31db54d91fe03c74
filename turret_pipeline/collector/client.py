"""Client that posts events to a running collector and retries, for `turret send`."""

import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from turret_pipeline.collector.paths import V1_EVENTS
from turret_pipeline.errors import TurretError

_TIMEOUT_SECONDS = 60
_MAX_WAIT_SECONDS = 30
_RETRYABLE_STATUSES = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class BatchResult:
    """Result of a batch: number of stored events, and index and reason of each rejected one."""

    accepted: int
    rejected: list[tuple[int, str]]


class Client:
    """Connection to a collector with a key."""

    def __init__(self, url: str, key: str, tries: int) -> None:
        self._url = url + V1_EVENTS
        self._tries = tries
        self._session = requests.Session()
        self._session.headers.update(
            {"x-api-key": key, "content-type": "application/x-ndjson", "content-encoding": "gzip"}
        )

    def send(self, lines: Sequence[bytes]) -> BatchResult:
        """Post a batch until it is stored. Retries are safe: the collector recognizes a body that it has stored.

        Raises TurretError if the response does not allow a retry, or if all tries fail.
        """
        body = gzip.compress(b"\n".join(lines), compresslevel=5, mtime=0)
        failure = ""
        for attempt in range(self._tries):
            wait = min(2**attempt / 2, _MAX_WAIT_SECONDS)
            try:
                response = self._session.post(self._url, data=body, timeout=_TIMEOUT_SECONDS)
            except requests.RequestException as error:
                failure = f"{self._url} does not answer ({type(error).__name__}): check the URL and that it runs."
            else:
                if response.status_code == 200:
                    return _parse_result(response.json())
                failure = _describe_failure(response)
                if response.status_code not in _RETRYABLE_STATUSES:
                    break
                wait = max(wait, _retry_after_seconds(response))
                if wait > _MAX_WAIT_SECONDS:
                    break
            if attempt < self._tries - 1:
                time.sleep(wait)
        raise TurretError(f"{failure} Run the same command again to continue after the last stored batch.")


def _parse_result(body: dict[str, Any]) -> BatchResult:
    rejected = [(item["index"], item["error"]) for item in body["results"] if item["status"] == "rejected"]
    return BatchResult(body["accepted"], rejected)


def _retry_after_seconds(response: requests.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0


def _describe_failure(response: requests.Response) -> str:
    try:
        reason = str(response.json()["error"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        reason = "no reason was given"
    remedy = " Check the key in TURRET_COLLECTOR_API_KEY." if response.status_code == 401 else ""
    return f"The collector answered {response.status_code}: {reason.rstrip('.')}.{remedy}"
