"""The client of the hello-world graph: asks the worker for greetings again and again."""

import asyncio
import os

import uvloop
from dynamo.runtime import DistributedRuntime, dynamo_worker
from dynamo_endpoint import find_endpoint, payload

NAMES = "world, sun, moon, star"
PAUSE = 2.0  # seconds between two rounds
PATIENCE = 10.0  # seconds that one round may take


async def ask(client):
    async for item in await client.round_robin(NAMES):
        print(payload(item), flush=True)


@dynamo_worker()
async def main(runtime: DistributedRuntime):
    path = f"{os.environ.get('DYN_NAMESPACE') or 'hello_world'}.backend.generate"
    endpoint = await find_endpoint(runtime, path, serving=False)
    print(f"Waiting for a worker at {path}", flush=True)
    client = await connect(endpoint)
    print("Found a worker", flush=True)
    while True:
        try:
            await asyncio.wait_for(ask(client), PATIENCE)
        except Exception as problem:  # the worker may be restarting; the next round tells
            print(f"No answer: {type(problem).__name__}: {problem}", flush=True)
            # 0.4.1 never asks a worker again that once did not answer; a new client does.
            client = await connect(endpoint)
        await asyncio.sleep(PAUSE)


async def connect(endpoint):
    """A client that knows at least one worker."""
    client = await endpoint.client()
    await client.wait_for_instances()
    return client


if __name__ == "__main__":
    uvloop.run(main())
