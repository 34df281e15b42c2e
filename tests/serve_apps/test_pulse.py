"""Whether a model still answers."""

import threading
from collections.abc import Callable

import pytest

from serve_apps.pulse import HUNG_S, IDLE_S, Pulse, Unhealthy

LONGEST_S = 300.0


class Patient:
    """A model, its watch and the clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.answers: Callable[[], None] = lambda: None
        self.done = threading.Semaphore(0)
        self.poison = ""
        self.pulse = Pulse(self.ask, LONGEST_S, lambda: self.poison, lambda: self.now)

    def ask(self) -> None:
        """Something tiny."""
        self.asked += 1
        try:
            with self.pulse.beating():
                self.answers()
        finally:
            self.done.release()

    def wait(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.now += seconds
        self.pulse.check()


@pytest.fixture
def patient() -> Patient:
    """One that is well."""
    return Patient()


def test_a_model_that_nobody_asks_is_asked(patient: Patient):
    """Once its last answer is long ago, and not before."""
    patient.wait(IDLE_S)
    assert patient.asked == 0

    patient.wait(1)
    assert patient.done.acquire(timeout=5)

    assert patient.asked == 1


def test_a_model_that_answers_somebody_is_not_asked(patient: Patient):
    """Its answer is proof enough."""
    for _ in range(5):
        patient.wait(IDLE_S / 2)
        with patient.pulse.beating():
            pass

    assert patient.asked == 0


def test_a_model_that_fails_on_something_tiny_is_unhealthy(patient: Patient):
    """With the reason; a check before the answer came says nothing yet."""

    def fail() -> None:
        raise ValueError("no weights")

    patient.answers = fail
    patient.wait(IDLE_S + 1)
    assert patient.done.acquire(timeout=5)

    def look() -> None:
        for _ in range(500):  # the thread that asked notes the end a moment later
            patient.wait(0)
            threading.Event().wait(0.01)

    with pytest.raises(Unhealthy, match="ValueError: no weights"):
        look()


def test_a_model_that_does_not_answer_at_all_is_unhealthy(patient: Patient):
    """Not for being slow: after as long as the busiest machine takes."""
    never = threading.Event()
    patient.answers = lambda: never.wait(30) and None
    patient.wait(IDLE_S + 1)
    patient.wait(HUNG_S - 1)

    with pytest.raises(Unhealthy, match="tiny input"):
        patient.wait(2)
    never.set()


def test_a_model_at_work_is_left_alone_until_its_time_is_over(patient: Patient):
    """A long batch is no fault; one that outlasts its caller's patience is."""
    with patient.pulse.beating():
        patient.wait(LONGEST_S - 1)
        assert patient.asked == 0

        with pytest.raises(Unhealthy, match="one batch for 301 s"):
            patient.wait(2)


def test_a_poisoned_process_is_unhealthy_at_once(patient: Patient):
    """Whatever it answered before."""
    patient.poison = "device-side assert"

    with pytest.raises(Unhealthy, match="device-side assert"):
        patient.wait(0)
