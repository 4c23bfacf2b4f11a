"""Dynamo's mocker as a worker that leaves in good order.

    python mocker_worker.py --model-path FOLDER --model-name NAME --endpoint dyn://N.C.E
                            --extra-engine-args FILE.json

`python -m dynamo.mocker` of 0.4.1 dies of SIGTERM on the spot, so its registration stays until
its lease is over. Engine workers of that release give up theirs first. A frontend that starts
in between would hold on to the dead one, so the stand-in must leave as they do.

Workers of one model register one after the other. Each uploads the model's card; a frontend of
0.4.1 that reads it while another worker uploads it again may wait for the rest for ever, and
then serves no model. Engines take seconds to load and seldom meet; mockers start together.
"""

import argparse
import asyncio
import fcntl
import os
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


# Until its frontends have read the card, which takes some tenths of a second.
REGISTERED_AFTER_S = 1.0
TURN_WITHIN_S = 30.0


async def take_turn(folder):
    """Holds the model's folder for itself; gives up waiting rather than never to start."""
    held = os.open(folder, os.O_RDONLY)
    for _ in range(int(TURN_WITHIN_S / 0.05)):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            await asyncio.sleep(0.05)
    return held


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
    held = await take_turn(given.model_path)
    asyncio.get_running_loop().call_later(REGISTERED_AFTER_S, os.close, held)
    await run_input(runtime, given.endpoint, engine)


if __name__ == "__main__":
    configure_dynamo_logging()
    uvloop.run(main())
