"""Marks by C2PA: signed manifests, read and checked by the library of those who wrote the standard.

Nothing is fetched: no manifest that lies elsewhere, no list of revoked certificates.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import c2pa  # type: ignore[import-untyped]

from haechi.labels import source_types
from haechi.labels.mark import Mark, Says, Trust
from haechi.labels.reading.haul import Haul
from haechi.labels.text import clean

MANIFESTS = 16
ACTIONS = 64
JSON_CHARACTERS = 8 * 1024 * 1024
_STATES = {"Trusted": Trust.TRUSTED, "Valid": Trust.VALID, "Invalid": Trust.INVALID}
# Failures which say that the file is not the one that was signed.
_CHANGED = (
    "assertion.dataHash",
    "assertion.bmffHash",
    "assertion.boxesHash",
    "assertion.collectionHash",
)
_UNTRUSTED = "signingCredential.untrusted"
# As strong as they are; the first that any action claims is what the manifest says.
_STRENGTH = (Says.MADE, Says.EDITED, Says.MAY_BE, Says.CAMERA, Says.HUMAN)
_MAKING = frozenset({"c2pa.created"})

type Told = Mapping[str, Any]


def bears(data: bytes, haul: Haul) -> bool:
    """Whether a manifest may be in the file; saves the search in files that have none."""
    return "c2pa" in haul.traces or (b"c2pa" in data and b"jumb" in data)


def marks(data: bytes, media_type: str, anchors: str | None, haul: Haul) -> Iterator[Mark]:
    """One for the manifest in force, and one for each of its ingredients."""
    try:
        store, state = _store(data, media_type, anchors)
    except c2pa.C2paError as error:
        remote = isinstance(error, c2pa.C2paError.RemoteManifest)
        haul.find("c2pa.remote" if remote else "broken.c2pa", reason=clean(str(error), longest=120))
        return
    if not store:
        # Bytes that look like one, such as words in a text.
        if "c2pa" in haul.traces:
            haul.find("broken.c2pa", reason="")
        return
    active = str(store.get("active_manifest", ""))
    manifests = _mapping(store.get("manifests"))
    if len(manifests) > MANIFESTS:
        haul.find("hostile.many", limit=str(MANIFESTS))
    failures = _failures(store)
    if state is Trust.INVALID:
        changed = any(code.startswith(_CHANGED) for code in failures)
        reason = ", ".join(failures[:3]) or "unknown"
        haul.find("c2pa.changed" if changed else "c2pa.invalid", reason=clean(reason, longest=200))
    others = [name for name in manifests if name != active]
    broken = _broken_ingredients(store)
    for name in [active, *others][:MANIFESTS]:
        below = Trust.INVALID if name in broken or state is Trust.INVALID else Trust.VALID
        trust = state if name == active else below
        yield _mark(name, _mapping(manifests.get(name)), trust, in_force=name == active)


def _store(data: bytes, media_type: str, anchors: str | None) -> tuple[Told, Trust]:
    settings: dict[str, Any] = {
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            "verify_trust": True,
            "verify_after_reading": True,
        },
    }
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    with c2pa.Context.from_dict(settings) as context:
        reader = c2pa.Reader.try_create(media_type, io.BytesIO(data), context=context)
        if reader is None:
            return {}, Trust.UNSIGNED
        with reader:
            told = reader.json()
            state = _STATES.get(str(reader.get_validation_state()), Trust.INVALID)
    if len(told) > JSON_CHARACTERS:
        raise c2pa.C2paError("longer than anybody reads")
    return _mapping(json.loads(told)), state


def _failures(store: Told) -> list[str]:
    active = _mapping(_mapping(store.get("validation_results")).get("activeManifest"))
    codes = [str(_mapping(item).get("code", "")) for item in _sequence(active.get("failure"))]
    return [code for code in codes if code != _UNTRUSTED]


def _broken_ingredients(store: Told) -> set[str]:
    """Names of manifests below the one in force that do not hold by themselves."""
    names = set()
    results = _mapping(store.get("validation_results"))
    for delta in _sequence(results.get("ingredientDeltas"))[:MANIFESTS]:
        failed = _sequence(_mapping(_mapping(delta).get("validationDeltas")).get("failure"))
        for item in failed:
            code, url = str(_mapping(item).get("code", "")), str(_mapping(item).get("url", ""))
            if code != _UNTRUSTED and "/c2pa/" in url:
                names.add(url.partition("/c2pa/")[2].partition("/")[0])
    return names


def _mark(name: str, manifest: Told, trust: Trust, *, in_force: bool) -> Mark:
    actions = _actions(manifest)
    signature = _mapping(manifest.get("signature_info"))
    types = [source_types.short(kind) for _, kind, _ in actions if kind]
    agents = [agent for _, _, agent in actions if agent]
    generator = _generator(manifest)
    ingredients = [
        str(_mapping(item).get("title") or _mapping(item).get("label") or "?")
        for item in _sequence(manifest.get("ingredients"))[:MANIFESTS]
    ]
    told = {
        "role": "in_force" if in_force else "ingredient",
        "issuer": signature.get("issuer"),
        "signer": signature.get("common_name"),
        "serial": signature.get("cert_serial_number"),
        "signed_at": signature.get("time"),
        "generator": generator,
        "actions": ", ".join(dict.fromkeys(action for action, _, _ in actions)),
        "digital_source_type": ", ".join(dict.fromkeys(types)),
        "ingredients": ", ".join(ingredients),
        "title": manifest.get("title"),
        "soft_binding": ", ".join(_soft_bindings(manifest)),
        "manifest": name,
    }
    return Mark(
        "c2pa",
        "c2pa" if in_force else "c2pa:ingredient",
        _says(actions),
        trust,
        clean((agents or [generator])[0]),
        {key: clean(str(value)) for key, value in told.items() if value},
    )


def _says(actions: Sequence[tuple[str, str, str]]) -> Says:
    """A machine that changes what was there edits it; only what it creates is made by it."""
    claimed = set()
    for action, kind, _ in actions:
        says = source_types.says(kind) if kind else Says.NOTHING
        claimed.add(Says.EDITED if says is Says.MADE and action not in _MAKING else says)
    return next((says for says in _STRENGTH if says in claimed), Says.NOTHING)


def _actions(manifest: Told) -> list[tuple[str, str, str]]:
    """(action, digital source type, software) of every action."""
    found = []
    for assertion in _sequence(manifest.get("assertions")):
        if not str(_mapping(assertion).get("label", "")).startswith("c2pa.actions"):
            continue
        for item in _sequence(_mapping(_mapping(assertion).get("data")).get("actions")):
            action = _mapping(item)
            agent = action.get("softwareAgent")
            name = _mapping(agent).get("name", "") if isinstance(agent, Mapping) else agent
            kind = str(action.get("digitalSourceType") or "")
            found.append((str(action.get("action", "")), kind, str(name or "")))
    return found[:ACTIONS]


def _generator(manifest: Told) -> str:
    for item in _sequence(manifest.get("claim_generator_info")):
        name = _mapping(item).get("name")
        if name:
            return str(name)
    return str(manifest.get("claim_generator") or "")


def _soft_bindings(manifest: Told) -> list[str]:
    assertions = [_mapping(item) for item in _sequence(manifest.get("assertions"))]
    bindings = [
        _mapping(item.get("data"))
        for item in assertions
        if str(item.get("label", "")).startswith("c2pa.soft-binding")
    ]
    return [str(binding["alg"]) for binding in bindings if binding.get("alg")]


def _mapping(value: object) -> Told:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
