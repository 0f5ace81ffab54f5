"""How jobs are tried again, and what becomes of those whose worker died."""

import logging

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job, Status

log = logging.getLogger(__name__)


class KeepTrying(BaseRetryStrategy):
    """Retry for ever: after 1, 2, 4 ... seconds, at most every ten minutes. Nothing is dropped."""

    longest_s = 600

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """When to try again."""
        wait_s = min(2 ** min(job.attempts, 20), self.longest_s)
        log.warning("%s will be tried again in %s s: %s", job.task_name, wait_s, exception)
        return RetryDecision(retry_in={"seconds": wait_s})


@app.periodic(cron="* * * * * */5")
@app.task(name="rescue_jobs", queueing_lock="rescue_jobs")
async def rescue_jobs(timestamp: int) -> None:
    """Every five seconds: jobs whose worker died in the middle go back into the queue."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=10):
        if job.queueing_lock:  # A periodic one: the next comes by itself, and two would collide.
            await app.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
        else:
            await app.job_manager.retry_job(job)
