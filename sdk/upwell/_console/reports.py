"""Reports of actions: pages that tasks have made, which are let do nothing but show themselves."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from upwell._core.keys import attempt_of_report, report_key, reports_prefix
from upwell._core.ports import BlobNotFoundError, BlobStore
from upwell.errors import UpwellError

HTML = "text/html; charset=utf-8"
CONFINED = {
    "Content-Security-Policy": (
        "sandbox allow-scripts allow-downloads; default-src 'none'; "
        "script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}
"""Headers of a report. Its origin is one of its own, also where it is opened alone: its scripts run, but read
nothing of the console, and send no requests. Opened alone, they can lead their own window elsewhere."""


class ReportNotFoundError(UpwellError):
    """An attempt made no report, or none that is still kept."""


async def list_reports(blobs: BlobStore, run_id: str, action_id: str) -> list[int]:
    """Return which attempts of an action have made a report, in order."""
    found = [attempt_of_report(blob.key) async for blob in blobs.list(reports_prefix(run_id, action_id))]
    return sorted(number for number in found if number is not None)


async def report_page(blobs: BlobStore, run_id: str, action_id: str, attempt: int) -> Response[str]:
    """Return the report of an attempt, as a page.

    Raises:
        ReportNotFoundError: there is none.
    """
    try:
        page = await blobs.get(report_key(run_id, action_id, attempt))
    except BlobNotFoundError:
        raise ReportNotFoundError(f"attempt {attempt} of {action_id} in run {run_id} has no report") from None
    return Response(200, content_type=HTML, body=page.decode(errors="replace"), headers=dict(CONFINED))
