"""Drivers and the devices at the far ends of their wires share one loop, and its clock."""

import asyncio
from collections.abc import Callable, Mapping

from tests.support.patient_loop import PatientLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test is parted from the stalls of a busy machine."""
    return {"patient": PatientLoop}
