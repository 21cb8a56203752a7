"""A network in training, as the process sees it that has others train."""

import multiprocessing
import time
from collections.abc import Mapping

from gpu.learner import Report, Stop, Task, learn
from gpu.shared_packs import hand_over
from masktrail.data.pack import Pack
from signals import held_back

PROCESSES = multiprocessing.get_context("spawn")
"""A GPU cannot be used in processes that are forked."""

PATIENCE = 20.0
"""Seconds that a process may take to end once it has said all."""


def make_stop() -> Stop:
    """What all processes look at to see whether they are to end."""
    return PROCESSES.RawValue("b", 0)


class Job:
    """A task in its process.

    Attributes:
        task: what it does.
        reports: what it has told, oldest first.
        failure: why it ended without having done it; "" if it did not.
        seconds: from its start to the first report, and from the last to its end.
    """

    def __init__(self, task: Task, packs: Mapping[str, Pack], stop: Stop) -> None:
        """Starts it.

        Args:
            task: what it is to do.
            packs: that it may use, by folder, see `shared_packs`.
            stop: set to 1 when it is to end before its time.
        """
        self.task = task
        self.reports: list[Report] = []
        self.failure = ""
        self.seconds = [0.0, 0.0]
        self._stop = stop  # which must outlive the beginning of the process
        self._told, telling = PROCESSES.Pipe(duplex=False)
        self._last = time.monotonic()
        arguments = (task, hand_over(packs), stop, telling)
        self._process = PROCESSES.Process(target=learn, args=arguments, name=task.name)
        with held_back():
            self._process.start()
        telling.close()  # of this process; when the other's is closed too, that is seen

    def follow(self, seconds: float) -> bool:
        """Takes in what it tells within so many seconds; whether it goes on."""
        if self._told.poll(seconds):
            try:
                self._take_in(self._told.recv())
                return True
            except EOFError:
                pass
        elif self._process.is_alive():
            return True
        self._end()
        return False

    def _take_in(self, message: Report | str) -> None:
        if isinstance(message, str):
            self.failure = message
            return
        now = time.monotonic()
        if not self.reports:
            self.seconds[0] = now - self._last
        self._last = now
        self.reports.append(message)

    def _end(self) -> None:
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.seconds[1] = time.monotonic() - self._last
        if self._process.exitcode and not self.failure:
            self.failure = f"ended with code {self._process.exitcode}"
