"""What keeps a step from running that others have prepared: files that are gone, a machine that is too small."""

from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.resources import Limits


def trouble(job: Job, step: Step, limits: Limits) -> str | None:
    """Why it cannot run, and what to do; None when it can. Looks at the disk."""
    refusal = limits.refusal(step.spec.needs)
    if refusal:
        return refusal
    if not job.folder.is_dir():
        return f"the folder of the recording, {job.folder}, is gone: put it back and try again, or delete the recording"
    gone = [file for file in step.spec.files if not (job.folder / file).exists()]
    if gone:
        more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
        return f"{gone[0]}{more} is gone from {job.folder}: put it back and try again"
    return None
