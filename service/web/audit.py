"""The API of proofs: checkpoints, inclusion, consistency for everybody; receipts; the sealed history of a case."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.requests import Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict

from domain.decider import Role
from domain.errors import NotYourRole
from service import receipts
from service.exports import case as package_of
from service.forms.form import Line
from service.known import SEES_ACCESS, known
from service.limits import place
from service.parts import Parts
from service.receipts import NotSealedYet
from service.sealer import Signed
from service.web.answers import head
from service.web.by_code import HOUR, by_code
from service.web.deps import Caller, InCaller, InParts, acting_as, address_of

public = APIRouter(tags=["proofs"])
router = APIRouter(tags=["proofs"])

SIGNERS: Final = (Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR, Role.SYSTEM)
"""Who may have a checkpoint signed at once: who audits, and who runs the place or sends checkpoints elsewhere."""
Signing = Annotated[Caller, Depends(acting_as(*SIGNERS))]
CaseId = Annotated[UUID, Path(description="The id of the case.")]
FARTHEST: Final = 2**63 - 1
Size = Annotated[int | None, Query(ge=0, le=FARTHEST, description="By default that of the newest checkpoint.")]


def newest_signed(parts: Parts) -> Signed:
    """Give the newest checkpoint; raises NotSealedYet, LogAltered."""
    with parts.pool.connection() as connection:
        signed = receipts.last(connection, parts)
    if signed is None:
        raise NotSealedYet
    return signed


def _told(parts: Parts, signed: Signed) -> dict[str, str]:
    return {"key": parts.signer.vkey, "checkpoint": signed.note}


@public.get(
    "/audit/checkpoint",
    summary="The newest checkpoint of the log, signed",
    response_model=None,
    responses={200: {"content": {"text/plain": {}}}},
)
def checkpoint(request: Request, parts: InParts) -> Response | dict[str, str]:
    """Give how many events the log has and their root, signed; as text/plain the note alone.

    Keep it: whoever holds an old checkpoint can show that the log was altered since.
    """
    signed = newest_signed(parts)
    accepted = request.headers.get("accept", "")
    if "text/plain" in accepted and "json" not in accepted:
        return PlainTextResponse(signed.note, headers={"Vary": "Accept"})
    return JSONResponse(_told(parts, signed), headers={"Vary": "Accept"})


@router.post("/audit/checkpoint", summary="Sign how far the log is, at once")
def sign(parts: InParts, _: Signing) -> dict[str, str]:
    """Sign a checkpoint now instead of within a minute; where nothing changed, the newest is given again.

    It waits, two seconds at most, for the tree to reach the end of the log, and signs what is there then.
    """
    return _told(parts, receipts.sign_now(parts))


def _limited(request: Request, parts: Parts) -> None:
    most = parts.settings.proofs_per_hour
    if most:
        parts.limits.hit("proofs", place(address_of(request)), most=most, seconds=HOUR)


@public.get("/audit/proof/{position}", summary="Prove that an event is in the log")
def inclusion(
    request: Request,
    parts: InParts,
    position: Annotated[int, Path(ge=0, le=FARTHEST, description="Its position, from 1.")],
    size: Size = None,
) -> dict[str, Any]:
    """Give the hash of the event at a position, and the proof that it is in the log of this size (RFC 9162).

    Nothing is said of the event itself.
    """
    _limited(request, parts)
    return receipts.inclusion(parts, position, size)


@public.get("/audit/consistency", summary="Prove that the log only grew from one size to another")
def consistency(
    request: Request,
    parts: InParts,
    since: Annotated[int, Query(alias="from", ge=0, le=FARTHEST, description="The smaller size, at least 1.")],
    to: Size = None,
) -> dict[str, Any]:
    """Give the proof that the log of the first size is the beginning of that of the second (RFC 9162).

    The answer is a file that `verifier.py` checks; a checkpoint you hold yourself stands for one that is left out.
    """
    _limited(request, parts)
    return receipts.consistency(parts, since, to)


class ReceiptForm(BaseModel):
    """With what somebody without an account asks for the receipt of a complaint."""

    model_config = ConfigDict(extra="forbid")
    complaint_no: Line
    query_code: Line


@public.post("/status/receipt", summary="The receipt of a complaint, by number and query code (回执)")
def receipt_by_code(request: Request, form: ReceiptForm, parts: InParts) -> dict[str, Any]:
    """Give the signed promise that the complaint is registered, and once it is sealed the proof.

    A wrong number and a wrong code look alike. The answer is a file that `verifier.py` checks without us.
    """
    row, _ = by_code(request, parts, form.complaint_no, form.query_code)
    return receipts.receipt(parts, row.case).file()


@router.get("/complaints/{case_id}/receipt", summary="The receipt of a case (回执)")
def receipt(case_id: CaseId, response: Response, parts: InParts, who: InCaller) -> dict[str, Any]:
    """Give the receipt that whoever complained has, with its proof once it is sealed."""
    row, _ = known(parts.pool, who.viewer, case_id)
    head(response, row.version, row.position)
    return receipts.receipt(parts, case_id).file()


def _watcher(parts: Parts, who: Caller, case_id: UUID) -> None:
    """Let those through who may read who opened what, and who tried what; raises Unknown, NotYourRole."""
    known(parts.pool, who.viewer, case_id)
    if who.actor.role not in SEES_ACCESS:
        raise NotYourRole(role=who.actor.role)


@router.get("/complaints/{case_id}/proof", summary="Every event of a case in its stored bytes, each with its proof")
def proof(case_id: CaseId, parts: InParts, who: InCaller) -> Response:
    """Give the history of a case as it is stored, with the streams beside it; `verifier.py` checks it without us.

    It holds the keys of persons and who opened or tried what, so it is for supervisors and auditors. Nothing sealed
    is opened by it. Where the newest events are not sealed yet, a checkpoint is signed first.
    """
    _watcher(parts, who, case_id)
    return JSONResponse(receipts.history(parts, case_id).file())


@router.get(
    "/complaints/{case_id}/package",
    summary="The evidence package of a case, a zip",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def package(case_id: CaseId, parts: InParts, who: InCaller) -> Response:
    """Give history, proofs, attachments' hashes, the history in words and the verifier, in one signed package.

    It goes into no event of the case: nothing sealed is opened by it, these roles may read all of it anyway, and an
    event about the package would itself belong into the package. The server's log says who had it.
    """
    _watcher(parts, who, case_id)
    made = package_of.package(parts, case_id)
    structlog.get_logger("web").info("package", stream=str(case_id), by=str(who.actor.person))
    disposition = f'attachment; filename="{made.name}"'
    return Response(made.data, media_type="application/zip", headers={"Content-Disposition": disposition})
