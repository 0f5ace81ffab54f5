"""The match service, as a real process, is asked whatever its OpenAPI document lets be asked.

Schemathesis makes requests from the document, fitting and unfitting ones: nothing may be a fault of
the server (5xx), and each answer has a code, a type and a form that the document tells of. The same
requests each run; HAECHI_EXAMPLES=200 asks more of them for each operation.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.unit.match_house import KEY, Database
from tests.unit.test_match_service_processes import processes

from haechi import fingerprint

EXAMPLES = int(os.environ.get("HAECHI_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120 + 10 * EXAMPLES)]


async def test_every_operation_answers_as_the_document_says(
    database: Database, tmp_path: Path, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """B16, at the service's own door; then it still answers."""
    database.let_curate()
    database.member(database.bank(), fingerprinted)
    async with processes(database, tmp_path) as (port, process):
        asked, faults = await asyncio.to_thread(_ask_all, f"http://127.0.0.1:{port}")
        assert process.poll() is None
    assert faults == []
    assert asked >= 40


def _ask_all(url: str) -> tuple[int, list[str]]:
    """Ask every operation; how many there were, and what was wrong."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    count, faults = 0, []
    for found in document.get_all_operations():
        operation = found.ok()
        count += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _ask(operation, mode)
            except (FailureGroup, Failure) as fault:
                faults.append(f"{operation.method} {operation.path}: {_told(fault)}")
    return count, faults


def _told(fault: BaseException) -> str:
    causes = fault.exceptions if isinstance(fault, BaseExceptionGroup) else (fault,)
    return f"{fault} " + "; ".join(str(cause) for cause in causes)


def _ask(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        case.call_and_validate(
            checks=CHECKS, headers={"Authorization": f"Bearer {KEY}"}, timeout=60
        )

    # Of what takes nothing at all, nothing unfitting can be made.
    with suppress(Unsatisfiable):
        check()
