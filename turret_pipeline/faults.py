"""Faults of the machine as sentences: a full or read-only disk, too little memory, a damaged file.

Belongs here: the sentence for an error that any code may raise. Not here: errors that the user's input causes.
"""

import re

_CAUSES = (
    (r"No space left on device|disk is full|ENOSPC|could not allocate .* disk", "the disk is full", "Free some space"),
    (r"Disk quota exceeded", "the quota of the disk is used up", "Free some space, or raise the quota"),
    (r"File too large", "a file is larger than the system allows", "Raise the limit of file sizes (ulimit -f)"),
    (
        r"Read-only file system|readonly database|attempt to write a read.?only",
        "the disk is read-only",
        "Make it writable, or choose another folder with --data-dir",
    ),
    (
        r"Permission denied|Operation not permitted|Access denied",
        "the permissions do not allow it",
        "Give this user access to the file, or choose another folder with --data-dir",
    ),
    (
        r"Too many open files",
        "the limit of open files is reached",
        "Raise it (ulimit -n), or stop other programs",
    ),
    (
        r"Cannot allocate memory|Out of Memory|out of memory|MemoryError|bad_alloc|unable to allocate|"
        r"failed to (?:allocate|pin block)|can't start new thread|Resource temporarily unavailable",
        "too little memory is free",
        "Free some memory, or use a machine with more",
    ),
    (
        r"Input/output error|disk I/O error|Stale file handle|EIO|fsync failed",
        "the disk does not read or write",
        "Check the disk and its connection",
    ),
)
"""What a message of the system or of a library contains, what is wrong, and the remedy."""

_DAMAGE = (
    r"checksum|[Cc]orrupt|not a database|malformed|file is not a|Invalid (?:parquet|thrift)|out of specification|"
    r"magic (?:number|bytes)|ZSTD|zstd|LZ4|lz4|snappy|Thrift|thrift|No magic|metadata_len|footer|"
    r"could not read|Could not read|invalid page|decompress|failed to fill whole buffer|Is a directory"
)
_LIBRARIES = (
    r"(OSError|IsADirectoryError|IOException|ComputeError|InternalException|SerializationException|DatabaseError|"
    r"Arrow\w+|SchemaError|PanicException)$"
)
_PATH = re.compile(r"""['"](/[^'"\n]+)['"]|file (/\S+?)[:.,]?(?:\s|$)""")
_CONTINUES = "The next run continues from what is stored"


def describe_fault(kind: str, message: str) -> str | None:
    """A sentence with the remedy for an error of class ``kind`` with this message; None if it is no known fault."""
    text = f"{kind}: {message}"
    named = _PATH.search(message)
    place = f" ({named[1] or named[2]})" if named else ""
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, text):
            return f"Cannot go on{place}: {cause}. {remedy}, and run the same command again. {_CONTINUES}."
    if not re.search(_LIBRARIES, kind) or not re.search(_DAMAGE, text):
        return None
    first = message.strip().splitlines()[0].rstrip(".") if message.strip() else kind
    return (
        f"A stored file is damaged{place}: {first}. turret doctor names it; turret doctor --repair repairs it or says "
        "what to restore."
    )


def describe_exception(error: BaseException) -> str | None:
    """The sentence of ``describe_fault`` for an error or the first of its causes that is a known fault."""
    found: BaseException | None = error
    while found is not None:
        if sentence := describe_fault(type(found).__name__, str(found)):
            return sentence
        found = found.__cause__ or found.__context__
    return None
