"""The line written down: an address or a file becomes a stored verdict."""

from __future__ import annotations

import time

import structlog

from models.errors import ModelsError
from server.errors import ProcessingFailed
from server.options import Options
from server.store.tables import Check
from server.worker import arrive, record
from server.worker.lease import Lease
from server.worker.media import MediaChild
from server.worker.tools import Tools

log = structlog.get_logger()


def run_check(check: Check, lease: Lease, tools: Tools) -> None:
    """Runs one claimed check to its end. No transaction is open while media is fetched or a model runs."""
    started = time.monotonic()
    options = Options.from_json(check.options)
    with MediaChild(tools.settings, tools.children, hashing=True) as child:
        lease.on_lost(child.close)
        arrived = arrive.bring(check, child, lease, tools)
        if arrived.known is not None:
            record.answered(check, lease, tools, arrived)
        else:
            lease.stage("decoding", 0.0)
            read = child.watch if tools.analyzer.wants_glances(options.detectors) else child.decode
            info, frames = read(arrived.path, options.sequence_length)
            lease.stage("analyzing", 0.0)
            try:
                analysis = tools.analyzer.analyze(
                    frames,
                    info,
                    progress=lambda _, done: lease.stage("analyzing", done),
                    detectors=options.detectors,
                    expected=options.sequence_length,
                )
            except ModelsError as error:
                raise ProcessingFailed(str(error)) from error
            record.finished(check, lease, tools, arrived, info, analysis)
    log.info("check_complete", check_id=check.id, seconds=round(time.monotonic() - started, 3))
