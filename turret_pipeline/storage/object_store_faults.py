"""Sentences for the errors of an object store: what is wrong, at which address, and the remedy."""

import re

_CONTINUES = "Nothing is lost: the next run continues from what is stored"

_CAUSES = (
    (
        r"NoSuchBucket",
        "the bucket does not exist",
        "Create it, or correct the setting object_store",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|Unauthenticated|401 Unauthorized",
        "the credentials are wrong or have expired",
        "Correct the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"169\.254\.\d+\.\d+|metadata endpoint|MissingToken|Missing(?:AccessKeyId|SecretAccessKey)",
        "no credentials were found",
        "Set the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"PermissionDenied|403 Forbidden|AccessDenied|Permission denied|Operation not permitted",
        "access is denied",
        "Give these credentials the right to list, read, write and delete there",
    ),
    (
        r"\b507\b|(?i:no space left|insufficient.?storage|no free volume|no writable volume|storage.?full|"
        r"quota.{0,3}exceed|exceed.{0,12}quota|disk quota|out of space)",
        "the store is full",
        "Free some space there, or raise its quota",
    ),
    (
        r"PreconditionError|Precondition",
        "an object was replaced while it was read",
        "Wait until no other run writes there",
    ),
    (
        r"(?i:certificate|BadSignature|UnknownIssuer|invalid peer)",
        "its certificate is not trusted",
        "Correct the address in AWS_ENDPOINT_URL, or install the certificate of the authority that signed it",
    ),
    (
        r"TimedOut|(?i:timed? ?out|timeout|deadline)",
        "it did not answer in time",
        "Check the service and the connection to it",
    ),
    (
        r"Connect\b|(?i:error sending request|connection (?:refused|reset|closed)|dns error|IncompleteMessage|"
        r"error decoding response|broken pipe|unreachable)",
        "it cannot be reached",
        "Check AWS_ENDPOINT_URL, the service and the connection to it",
    ),
    (
        r"\b5\d\d [A-Z]|SlowDown|ServiceUnavailable|InternalError",
        "the service reports an error of its own",
        "It may be full, overloaded or restarting: check its log and its free space",
    ),
)
"""A pattern in the error of the library, what is wrong, and the remedy; the first that matches counts."""

_DEADLINE = re.compile(r"retry_timeout: [\w.]+|max_retries: \d+")


def describe_store_fault(error: BaseException, url: str, endpoint: str | None, action: str) -> str:
    """The sentence for an error of the store at ``url``, which happened while ``action``."""
    text = _DEADLINE.sub("", f"{type(error).__name__}: {error}")
    place = f"{url} ({_without_login(endpoint)})" if endpoint else url
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, text):
            return f"The object store {place} failed at {action}: {cause}. {remedy}, and run again. {_CONTINUES}."
    first = _without_login(str(error).splitlines()[0])[:200].rstrip(". ") if str(error) else type(error).__name__
    return f"The object store {place} failed at {action}: {first}. Check the service, and run again. {_CONTINUES}."


def _without_login(endpoint: str) -> str:
    """A text whose addresses have no user name and password."""
    return re.sub(r"//[^/@\s]*@", "//", endpoint)
