"""The worker of the hello-world graph: greets each of the names it is asked for, one by one."""

import asyncio
import os

import uvloop
from dynamo.runtime import DistributedRuntime, dynamo_worker
from dynamo_endpoint import find_endpoint, shut_down_on_signals

PAUSE = 0.2  # seconds between two greetings, so that streaming can be seen


async def greet(names):
    """Names separated by commas in, a greeting for each out."""
    print(f"Asked to greet {names}", flush=True)
    for name in str(names).split(","):
        await asyncio.sleep(PAUSE)
        yield f"Hello {name.strip()}!"


@dynamo_worker()
async def main(runtime: DistributedRuntime):
    shut_down_on_signals(runtime)
    path = f"{os.environ.get('DYN_NAMESPACE') or 'hello_world'}.backend.generate"
    endpoint = await find_endpoint(runtime, path, serving=True)
    print(f"Serving endpoint {path}", flush=True)
    await endpoint.serve_endpoint(greet)


if __name__ == "__main__":
    uvloop.run(main())
