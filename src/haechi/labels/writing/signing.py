"""C2PA: who marked the file, what was done to it, and which watermark binds the two.

No thumbnail is written, of the file or of what it was made from: in these cases a thumbnail would be
the intimate picture once more, in every copy and in every reader's cache.
"""

import io
import json
from typing import Any

import c2pa  # type: ignore[import-untyped]

from haechi.errors import SigningFailed
from haechi.labels.aigc import Level
from haechi.labels.watermark import spelled
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import SOFT_BINDING, Signer, Wanted

_ACTIONS = "c2pa.actions.v2"
_BINDING = "c2pa.soft-binding"
_SETTINGS: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    # Nothing is fetched for a file that somebody else made: neither manifests nor certificates.
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_PARENT = "xmp.iid:before-labelling"


def signs(media_type: str) -> bool:
    """True if C2PA has a way for this kind of file: not for Matroska, WebM and Ogg."""
    return media_type in c2pa.Builder.get_supported_mime_types()


def carries_manifest(data: bytes, media_type: str) -> bool:
    """True if there is a C2PA manifest in it, whole or broken."""
    try:
        with _context() as context:
            reader = c2pa.Reader.try_create(media_type, io.BytesIO(data), context=context)
            if reader is None:
                return False
            reader.close()
    except c2pa.C2paError as error:
        # A kind of file that cannot carry one, against one that carries something unreadable.
        return not isinstance(error, c2pa.C2paError.NotSupported)
    return True


def signed(marked: Marked, wanted: Wanted, signer: Signer, before: bytes) -> bytes:
    """The marked file with a manifest that names what was done; `before` is the file as it came.

    A manifest that it carried goes on as the ingredient of this one: the chain is not cut. Raises
    SigningFailed.
    """
    made_here = marked.found is None and wanted.level is Level.IS and not marked.was_signed
    try:
        return _signed(marked, wanted, signer, None if made_here else before)
    except c2pa.C2paError as error:
        raise SigningFailed(" ".join(str(error).split())[:300]) from error


def _signed(marked: Marked, wanted: Wanted, signer: Signer, parent: bytes | None) -> bytes:
    authority = None if signer.time_url is None else signer.time_url.encode()
    told = c2pa.C2paSignerInfo(
        signer.alg.encode(), signer.chain.encode(), signer.key.encode(), authority
    )
    claim = json.dumps(_manifest(marked, wanted, has_parent=parent is not None))
    out = io.BytesIO()
    with (
        _context() as context,
        c2pa.Builder(claim, context) as built,
        c2pa.Signer.from_info(told) as pen,
    ):
        if parent is not None:
            ingredient = {
                "title": "before labelling",
                "relationship": "parentOf",
                "instance_id": _PARENT,
            }
            built.add_ingredient(json.dumps(ingredient), marked.was, io.BytesIO(parent))
        built.sign(pen, marked.media_type, io.BytesIO(marked.data), out)
    return out.getvalue()


def _manifest(marked: Marked, wanted: Wanted, *, has_parent: bool) -> dict[str, Any]:
    """The claim. Only who made the content says that it was created, and by what kind of source."""
    agent = {"softwareAgent": {"name": wanted.producer}}
    actions: list[dict[str, Any]] = []
    if has_parent:
        actions.append({"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}})
    else:
        source = {"digitalSourceType": wanted.digital_source_type}
        actions.append({"action": "c2pa.created", **source, **agent})
    if marked.drawn is not None:
        actions.append({"action": "c2pa.addedText", **agent})
    actions.append({"action": "c2pa.edited.metadata", **agent})
    assertions: list[dict[str, Any]] = []
    if wanted.trace_id is not None and (marked.watermarked or marked.sound_marked):
        actions.append({"action": "c2pa.watermarked.bound", **agent})
        block = {"scope": {}, "value": spelled(wanted.trace_id)}
        assertions.append({"label": _BINDING, "data": {"alg": SOFT_BINDING, "blocks": [block]}})
    return {
        "claim_generator_info": [{"name": "Haechi"}],
        "title": wanted.produce_id,
        "format": marked.media_type,
        "assertions": [{"label": _ACTIONS, "data": {"actions": actions}}, *assertions],
    }


def _context() -> c2pa.Context:
    return c2pa.Context.from_dict(_SETTINGS)
