"""Background jobs: none ends unseen, and none takes the server with it."""

import asyncio

from hongyan.assembly.background import Background


async def test_a_job_that_falls_over_is_begun_again_and_the_others_run_on():
    background = Background(pauses=(0.0,))
    begun = 0
    recovered, other = asyncio.Event(), asyncio.Event()

    async def falls_over_twice() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise KeyError("nobody thought of it")
        recovered.set()
        await asyncio.Event().wait()

    async def lives() -> None:
        other.set()
        await asyncio.Event().wait()

    background.start("weak", falls_over_twice)
    living = background.start("living", lives)
    async with asyncio.timeout(5):
        await recovered.wait()
        await other.wait()
    assert begun == 3
    assert not living.done()
    await background.close()
    assert living.cancelled()


async def test_a_job_that_returns_is_over():
    background = Background(pauses=(0.0,))
    begun = 0

    async def ends() -> None:
        nonlocal begun
        begun += 1

    async with asyncio.timeout(5):
        await background.start("ends", ends)
    assert begun == 1
