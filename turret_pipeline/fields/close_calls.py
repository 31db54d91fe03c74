"""Close calls: fields whose values nearly have another type."""

from collections.abc import Mapping
from typing import NamedTuple

from turret_pipeline.fields.detection import Detection, detect_type
from turret_pipeline.fields.profiles import FieldProfile
from turret_pipeline.fields.thresholds import move_thresholds

MARGIN = 1.5
"""Factor by which a threshold would have to differ for another type, up to which a type is a close call."""

_MOVED = tuple(move_thresholds(MARGIN))


class Decision(NamedTuple):
    """A type, whether it is a close call, and the reason."""

    type: str
    is_uncertain: bool
    reason: str


def decide_type(profile: FieldProfile, known_type: str | None = None) -> Decision:
    """The type of a field, and the one that it nearly has.

    ``known_type`` is the type that was detected before. It is kept in a close call, so that a few more values do not
    change a type back and forth.
    """
    found = detect_type(profile)
    rivals = _find_rivals(profile, found)
    if known_type is not None and known_type in rivals:
        return _mark_close(known_type, rivals[known_type], found.type, found.reason)
    for kind, reason in rivals.items():
        return _mark_close(found.type, found.reason, kind, reason)
    return Decision(found.type, is_uncertain=False, reason=found.reason)


def _find_rivals(profile: FieldProfile, found: Detection) -> Mapping[str, str]:
    """Reasons for the other types that a second rule suggests, or that one other threshold would give."""
    rivals = dict([found.rival] if found.rival else [])
    if profile.filled_count == 1:  # shares of one value are clear; with very many fields, the search would take minutes
        return rivals
    for limits in _MOVED:
        other = detect_type(profile, limits)
        if other.type != found.type:
            rivals.setdefault(other.type, other.reason)
    return rivals


def _mark_close(kind: str, reason: str, rival: str, rival_reason: str) -> Decision:
    doubt = f"Nearly {rival} ({rival_reason.rstrip('.')}): if so, run turret fields set NAME {rival}."
    return Decision(kind, is_uncertain=True, reason=f"{reason} {doubt}")
