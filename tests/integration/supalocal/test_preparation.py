"""What making a database anew cannot keep."""

import pytest
from support import servers

import supalocal


@pytest.fixture
def cron_server():
    """A Postgres with pg_cron, of this test alone: its scheduler does not outlive the test."""
    try:
        found = servers.installation(15)
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))
    if not servers.has_cron(found):
        pytest.skip("needs Debian's postgresql-15-cron")
    with servers.running(15) as server:
        yield server


async def test_a_reset_that_ends_pg_crons_scheduler_says_so(cron_server, caplog):
    """It ends with its database, and only a restart of the server brings it back."""
    async with supalocal.Stack(db_url=cron_server.url(servers.SUPERUSER)) as stack:
        await stack.reset()
    assert "restart that server, or no scheduled job runs" in caplog.text
