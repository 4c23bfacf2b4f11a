"""What went wrong between here and the hub: whether trying again helps, and after how long."""

import email.utils
import errno
import time
import traceback


class Final(Exception):
    """Trying again cannot help."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Damaged(OSError):
    """The bytes that came are not those of the file."""


def response_of(error):
    """The response behind an error; the library wraps some."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if getattr(error, "response", None) is not None:
            return error.response
        error = error.__cause__ or error.__context__
    return None


def asked_wait(response):
    """Seconds that the hub asks to wait: Retry-After, or `RateLimit: "api";r=0;t=55`."""
    headers = getattr(response, "headers", {})
    text = headers.get("Retry-After")
    if text is not None:
        try:
            return float(text)
        except ValueError:
            pass
        try:
            moment = email.utils.parsedate_to_datetime(text)
            return max(0.0, moment.timestamp() - time.time())
        except (TypeError, ValueError):
            return None
    parts = dict(part.strip().partition("=")[::2] for part in headers.get("RateLimit", "").split(";"))
    if parts.get("r") == "0" and parts.get("t", "").isdigit():
        return float(parts["t"])
    return None


def what_happened(error):
    response = response_of(error)
    if response is not None:
        return f"HTTP {response.status_code}"
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]


# Errors of the network come from whichever HTTP library huggingface_hub uses.
NETWORK = {"requests", "urllib3", "httpx", "httpcore", "httpx2", "httpcore2", "http", "ssl", "h11"}


def final_reason(error, model, revision, token):
    """Why trying again cannot help, as a Final; None when it can."""
    if isinstance(error, Final):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Final("DISK_FULL", f"the volume of the cache is full: {error.strerror}")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Final("NOT_WRITABLE", f"the cache cannot be written: {error}")
    names = {base.__name__ for base in type(error).__mro__}
    status = getattr(response_of(error), "status_code", None)
    without = "" if token else ", and no token was sent"
    if "RevisionNotFoundError" in names:
        return Final("NO_REVISION", f"{model} has no revision {revision}")
    if "GatedRepoError" in names or status == 403:
        return Final("GATED", f"the hub does not give {model} to this account (HTTP {status}){without}")
    if status == 401:
        return Final(
            "UNAUTHORISED",
            f"the hub does not accept the token for {model} (HTTP 401)" if token else
            f"the hub has no model {model} for those without a token (HTTP 401)",
        )
    if status == 404 or "RepositoryNotFoundError" in names:
        return Final("NO_MODEL", f"the hub has no model {model} (HTTP 404){without}")
    if status is not None and 400 <= status < 500 and status not in (408, 409, 416, 425, 429):
        return Final("REFUSED", f"the hub refuses the request for {model}: HTTP {status}")
    networks = any(base.__module__.split(".")[0] in NETWORK for base in type(error).__mro__)
    if status is None and not isinstance(error, OSError) and not networks:
        return Final("UNEXPECTED", "".join(traceback.format_exception(error))[-2000:])
    return None
