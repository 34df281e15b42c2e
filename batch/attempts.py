"""An attempt of a job: its progress is reported while it works, and how it ends is how the job ends.

How jobs are asked for, started and steered is `jobs.py`'s business.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from batch.progress import Reporter
from cluster.board import board
from cluster.errors import BrightroomError
from cluster.settings import Settings
from cluster.store.database import System
from cluster.store.jobs import Job


@contextmanager
def running(settings: Settings, system: System, job: Job) -> Iterator[Reporter]:
    """A job's attempt, reported while the block runs; how the block ends is how the job ends."""
    jobs = system.jobs
    with Reporter(board(settings.ray.namespace), jobs, job) as reporter:
        try:
            yield reporter
        except BrightroomError as error:
            reporter.try_to_beat()
            jobs.finish(job.job_id, job.attempt, "failed", str(error))
            raise
        except Exception as error:
            reporter.try_to_beat()
            sentence = (
                f"Brightroom itself failed ({type(error).__name__}); the job's log in the Ray dashboard says more"
            )
            jobs.finish(job.job_id, job.attempt, "failed", sentence)
            raise
        reporter.beat()
        close(system, job, reporter.heeded, reporter.why)  # a wish that the work did not come to read comes too late


def close(system: System, job: Job, heeded: str, why: str = "") -> None:
    """Note how an attempt ended that nothing went wrong in, by the word that its work heeded."""
    if heeded == "pause":
        rest(system, job, why)
    elif heeded != "stop":
        system.jobs.finish(job.job_id, job.attempt, "cancelled" if heeded == "cancel" else "done")


def rest(system: System, job: Job, why: str = "") -> None:
    """Pause an attempt, and then do as is wished by now: somebody may have taken the pause back, or cancelled.

    With `why` it is not a turn that is over: the job rests until somebody resumes it.
    """
    if why:
        system.jobs.want(job.job_id, "pause")
    system.jobs.pause(job.job_id, job.attempt, why)
    wanted = system.jobs.get(job.job_id).wanted
    if wanted == "run":
        system.jobs.requeue(job.job_id)
    elif wanted == "cancel":
        system.jobs.finish(job.job_id, job.attempt, "cancelled")
