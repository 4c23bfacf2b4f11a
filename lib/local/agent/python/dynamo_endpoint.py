"""What scripts of ours need to be workers and clients under every release of Dynamo."""

import asyncio
import signal


def shut_down_on_signals(runtime):
    """Lets SIGTERM and SIGINT end the runtime, which gives up its registrations first."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runtime.shutdown)


async def find_endpoint(runtime, path, *, serving):
    """The endpoint `namespace.component.name`. Early releases want a service made before serving."""
    if hasattr(runtime, "endpoint"):
        return runtime.endpoint(path)
    namespace, component_name, name = path.split(".")
    component = runtime.namespace(namespace).component(component_name)
    if serving:
        await component.create_service()
    return component.endpoint(name)


def payload(item):
    """Content of one streamed item, which most releases wrap in an envelope."""
    content = getattr(item, "data", item)
    return content() if callable(content) else content
