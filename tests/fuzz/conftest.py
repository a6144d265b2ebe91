"""How much is generated: `--examples` of each kind, the same ones in every run unless `--hypothesis-seed` says else."""

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings


def pytest_itemcollected(item: pytest.Item) -> None:
    test = getattr(item, "obj", None)
    if is_hypothesis_test(test):
        seeded = item.config.getoption("--hypothesis-seed", None) is not None
        budget = settings(
            max_examples=item.config.getoption("--examples"),
            derandomize=not seeded,
            database=None,
            deadline=None,  # the database may be busy; what hangs ends by a timeout
            suppress_health_check=list(HealthCheck),
        )
        budget(test)
