"""Clocks that do not depend on how fast or busy the machine is; each stands in for `time`."""


class TickingClock:
    """A second passes whenever it is looked at, which the training loop does three times a step,
    and what learns one video once."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now

    perf_counter = monotonic


class StandingClock:
    """Nothing takes any time."""

    def monotonic(self) -> float:
        return 0.0
