"""A worker that serves an endpoint but registers no model.

In Dynamo 0.4.1 the second worker of a disaggregated pair is found by the first one, not by the
frontend. The mocker of that release has no such role: started there it would register the
model a second time and answer users itself. This worker keeps the role: it appears in
discovery under its own endpoint, reports its health, and says what it is asked.
"""

import sys

import uvloop
from dynamo.runtime import DistributedRuntime, dynamo_worker
from dynamo_endpoint import find_endpoint, shut_down_on_signals


async def answer(request):
    print(f"Asked for {type(request).__name__}; simulated, nothing to compute", flush=True)
    yield {"token_ids": [], "finish_reason": "stop"}


@dynamo_worker()
async def main(runtime: DistributedRuntime):
    shut_down_on_signals(runtime)
    path = sys.argv[1].removeprefix("dyn://")
    endpoint = await find_endpoint(runtime, path, serving=True)
    print(f"Serving endpoint {path}", flush=True)
    await endpoint.serve_endpoint(answer)


if __name__ == "__main__":
    uvloop.run(main())
