"""What differs between Dynamo's releases when a script names, serves or calls an endpoint."""


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
