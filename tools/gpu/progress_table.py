"""What is printed of networks that are trained together: how they get on, and what a run takes."""

from collections.abc import Sequence

from gpu.job import Job
from gpu.learner import Report

GIB = 2**30

COLUMNS = f"{'minutes':>7} {'network':<16} {'step':>7} {'samples/s':>9} {'loss':>8} {'memory':>9}"

RECENT = 4
"""Reports that the speed is taken from."""


def table(jobs: Sequence[Job], machine: str) -> str:
    """A line for every network, below a line for the machine.

    Args:
        jobs: as they were started.
        machine: how busy it is, in words.
    """
    return "\n".join([f"{COLUMNS}   {machine}", *map(_line, jobs)])


def samples_per_second(reports: Sequence[Report]) -> float:
    """Clips learned from in a second, lately; 0 where that is not known yet."""
    lately = reports[-RECENT:] if len(reports) > 1 else [Report(), *reports]
    first, last = lately[0], lately[-1]
    seconds = 60 * (last.minutes - first.minutes)
    return (last.clips - first.clips) / seconds if seconds > 0 else 0.0


def forecast(jobs: Sequence[Job], minutes: float, preparing: float, at_once: bool) -> str:
    """What a dry run tells of a full one.

    Args:
        jobs: of the dry run.
        minutes: that each network is to be trained.
        preparing: seconds before the first began.
        at_once: whether they are trained at the same time, or one after the other.
    """
    tried = [job for job in jobs if not job.failure]
    around = [sum(job.seconds) for job in tried] or [0.0]
    begin_and_end = (max if at_once else sum)(around) / 60
    training = minutes * (1 if at_once else len(tried))
    total = preparing / 60 + training + begin_and_end
    return "\n".join(
        [
            *(_tried(job) for job in tried),
            f"A full run takes {total:.1f} minutes: {preparing / 60:.1f} to prepare, "
            f"{training:.1f} of training, {begin_and_end:.1f} to begin and to end.",
        ]
    )


def _line(job: Job) -> str:
    if job.failure:
        return f"{'':>7} {job.task.name:<16} {job.failure}"
    if not job.reports:
        return f"{'':>7} {job.task.name:<16} {'begins':>7}"
    last = job.reports[-1]
    return (
        f"{last.minutes:7.1f} {job.task.name:<16} {last.steps:7} "
        f"{samples_per_second(job.reports):9.1f} {last.loss:8.4f} {last.memory / GIB:5.1f} GiB"
    )


def _tried(job: Job) -> str:
    begin, end = job.seconds
    speed, last = samples_per_second(job.reports), job.reports[-1]
    return (
        f"{job.task.name}: {begin:.0f} s to begin, {speed:.1f} samples/s, {end:.0f} s to end, "
        f"{last.memory / GIB:.1f} GiB"
    )
