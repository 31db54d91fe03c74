"""Format of Snowplow's enriched events: as its SDKs and loaders write them, and as the lines of its stream.

It follows "Snowplow atomic event properties" and "Enriched stream TSV file format" of Snowplow's documentation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Identity, Part, Shape
from turret_pipeline.events.formats.row_values import Row, from_json, join_session_id

ENRICHED_COLUMNS = tuple(
    """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
    v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
    geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization
    ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
    page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
    contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total
    tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type
    br_renderengine br_lang br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight
    br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone dvce_type
    dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency tr_total_base
    tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags
    dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp event_vendor
    event_name event_format event_version event_fingerprint true_tstamp
    """.split()
)
"""Names of the columns of a line of the enriched stream, which has no header."""

_CLIENT_SESSION = "contexts_com_snowplowanalytics_snowplow_client_session_1"
_SELF_DESCRIBING = ("unstruct_event", "contexts", "derived_contexts")
_SCHEMA = re.compile(r"iglu:([^/]+)/([^/]+)/[^/]+/(\d+)")
_EVENT_KEY = re.compile(r"unstruct_event_(?P<name>.+?)_\d+(?:_\d+_\d+)?\Z")
_CONTEXT_VERSION = re.compile(r"(?<=_\d)_\d+_\d+\Z")


def _unpack_entities(row: Row) -> Row:
    """The row with the data of its event and of its entities as objects, and a name and a session if it lacks them."""
    left = {key: value for key, value in row.items() if key not in _SELF_DESCRIBING}
    own: dict[str, Any] = {}
    for key, value in [*left.items(), *_self_describing(row)]:
        if key.startswith(("unstruct_event_", "contexts_")):
            left.pop(key, None)
            parsed = from_json(value)
            if key.startswith("unstruct_event_"):
                own |= parsed if isinstance(parsed, Mapping) else {}
                left.setdefault("unstruct_key", key)
            elif parsed:
                left[_CONTEXT_VERSION.sub("", key)] = parsed
    sessions = left.get(_CLIENT_SESSION)
    session = sessions[0] if isinstance(sessions, list | tuple) and sessions else None
    contexts = {key: _unwrap_single(value) for key, value in left.items() if key.startswith("contexts_")}
    return {
        **left,
        **contexts,
        "own": own,
        "client_session": session if isinstance(session, Mapping) else None,
        "event_name": _find_name(left),
        "visit": _find_visit(left),
    }


def _self_describing(row: Row) -> Iterator[tuple[str, Any]]:
    """Keys as the SDKs name them, and data, of the self-describing JSON of the enriched stream."""
    event = _data_of(row.get("unstruct_event"))
    if isinstance(event, Mapping) and (key := _key_of(event)) is not None:
        yield f"unstruct_event_{key}", event.get("data")
    entities: dict[str, list[Any]] = {}
    for column in ("contexts", "derived_contexts"):
        found = _data_of(row.get(column))
        for entity in found if isinstance(found, list) else ():
            if isinstance(entity, Mapping) and (key := _key_of(entity)) is not None:
                entities.setdefault(f"contexts_{key}", []).append(entity.get("data"))
    yield from entities.items()


def _data_of(value: object) -> object:
    parsed = from_json(value)
    return parsed.get("data") if isinstance(parsed, Mapping) else None


def _key_of(entity: Mapping[str, Any]) -> str | None:
    found = _SCHEMA.match(str(entity.get("schema")))
    if found is None:
        return None
    vendor, name, version = found.groups()
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(".", "_")
    return f"{vendor.replace('.', '_').lower()}_{snake}_{version}"


def _unwrap_single(entities: object) -> object:
    """The only entity of an array, whose keys then become fields."""
    return entities[0] if isinstance(entities, list | tuple) and len(entities) == 1 else entities


def _find_name(row: Row) -> object:
    """Action of a structured event; otherwise the name, which events of old versions have only in their schema."""
    event, name = row.get("event"), row.get("event_name")
    if event in ("struct", "se") or (event is None and name == "event"):
        return row.get("se_action") or name
    if not name and event in ("unstruct", "ue", None) and (found := _EVENT_KEY.match(str(row.get("unstruct_key")))):
        return found["name"]
    return name or event


def _find_visit(row: Row) -> str | None:
    """Session of old versions: the number of a visit of a browser."""
    return join_session_id(row.get("domain_userid"), row.get("domain_sessionidx"))


SNOWPLOW = Format(
    name="snowplow",
    title="Snowplow event",
    shape=Shape(
        "`event_id`, `collector_tstamp`, and `event` or `event_name`",
        required=(("event_id",), ("collector_tstamp",), ("event", "event_name")),
        forbidden=("name", "metadata"),
    ),
    columns=Columns(
        event_id=("event_id",),
        event_name=("event_name",),
        session_id=("domain_sessionid", "client_session.sessionId", "client_session.session_id", "visit"),
        user_id=("user_id", "domain_userid", "client_session.userId", "client_session.user_id", "network_userid"),
        event_at=("derived_tstamp", "true_tstamp"),
        received_at=("collector_tstamp",),
    ),
    identities=(
        Identity(
            "Snowplow event",
            user=("user_id",),
            devices=("domain_userid", "client_session.userId", "client_session.user_id"),
        ),
    ),
    parts=(Part("own"),),
    drop=(
        *("event", "event_vendor", "event_format", "event_version", "event_fingerprint", "txn_id"),
        *("etl_tstamp", "dvce_created_tstamp", "dvce_sent_tstamp", "true_tstamp", "refr_dvce_tstamp", "etl_tags"),
        *("refr_device_tstamp", "name_tracker", "v_tracker", "v_collector", "v_etl", "client_session", _CLIENT_SESSION),
        *("unstruct_key", "visit", "load_tstamp"),
    ),
    normalize=_unpack_entities,
    is_utc=True,
    becomes="one event; the data of its schema are metadata under their own names, entities under `contexts_*`",
    example={
        "app_id": "web",
        "event": "unstruct",
        "event_name": "prompt_sent",
        "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
        "collector_tstamp": "2026-03-02T09:15:01.000Z",
        "derived_tstamp": "2026-03-02T09:15:00.000Z",
        "user_id": "u-1",
        "domain_userid": "d-1",
        "domain_sessionid": "s-1",
        "unstruct_event_com_acme_prompt_sent_1": {"prompt": "How do I reset my password?"},
        "contexts_com_acme_account_1": [{"plan": "team"}],
    },
)
