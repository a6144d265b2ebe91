"""A stack in a process of its own: tells its URLs when it runs, and what it holds for each line that it reads."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path

import supalocal
from supalocal.realtime.channel import Channel

PAGE = os.sysconf("SC_PAGE_SIZE")


async def main() -> None:
    async with supalocal.Stack() as stack:
        tell({"url": stack.url, "db_url": stack.admin_db_url, "key": stack.anon_key, "secret": stack.keys.jwt_secret})
        while await asyncio.to_thread(sys.stdin.readline):
            tell(held())


def tell(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def held() -> dict[str, object]:
    gc.collect()
    return {
        "channels": sum(type(one) is Channel and one.is_open for one in gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "memory": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE,
    }


if __name__ == "__main__":
    asyncio.run(main())
