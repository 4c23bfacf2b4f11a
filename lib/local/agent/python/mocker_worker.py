"""Dynamo's mocker as a worker that leaves in good order.

    python mocker_worker.py --model-path FOLDER --model-name NAME --endpoint dyn://N.C.E
                            --extra-engine-args FILE.json

`python -m dynamo.mocker` of 0.4.1 dies of SIGTERM on the spot, so its registration stays until
its lease is over. Engine workers of that release give up theirs first. A frontend that starts
in between would hold on to the dead one, so the stand-in must leave as they do.
"""

import argparse
import pathlib

import uvloop
from dynamo.llm import EngineType, EntrypointArgs, make_engine, run_input
from dynamo.runtime import DistributedRuntime, dynamo_worker
from dynamo.runtime.logging import configure_dynamo_logging
from dynamo_endpoint import shut_down_on_signals


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--model-path", "--model-name", "--endpoint"):
        parser.add_argument(name, required=True)
    parser.add_argument("--extra-engine-args", type=pathlib.Path, required=True)
    return parser.parse_args()


@dynamo_worker()
async def main(runtime: DistributedRuntime):
    shut_down_on_signals(runtime)
    given = arguments()
    engine = await make_engine(runtime, EntrypointArgs(
        engine_type=EngineType.Mocker,
        model_path=given.model_path,
        model_name=given.model_name,
        endpoint_id=given.endpoint,
        extra_engine_args=given.extra_engine_args,
    ))
    await run_input(runtime, given.endpoint, engine)


if __name__ == "__main__":
    configure_dynamo_logging()
    uvloop.run(main())
