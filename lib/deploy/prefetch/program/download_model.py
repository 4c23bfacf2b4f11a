"""Downloads a model from Hugging Face's hub into the cache below HF_HOME, whole.

    python3 download_model.py --model ORGANISATION/NAME [--revision main] [--concurrency 8]
        [--include PATTERN ...] [--exclude PATTERN ...] [--verify]

huggingface_hub lists, downloads and lays out the cache; any release from 0.30 to 2.x does, as
Dynamo's images have what their engine brings along. This program adds what a shared volume needs:

- a file whose download broke off goes on at its last byte, also in another pod (newer releases
  of the library begin it again);
- every file is checked against the hub's checksum before it gets its name;
- one pause for all downloads when the hub says 429 or 503, as long as it asks for, and growing,
  random ones after other faults; what cannot mend itself ends at once, with exit code 3;
- locks and fragments that dead processes left behind are removed;
- refs/REVISION is written last: readers without a network never see half a model under it.

What it does it says on standard output, one JSON object a line, {"prefetch": KIND, ...}. The
token comes as HF_TOKEN and is never shown.
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import random
import shutil
import sys
import threading
import time

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# It does not go on where a download broke off.
os.environ["HF_HUB_ENABLE_HF_TRANSFER"] = "0"
os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "60")
os.environ.pop("HF_HUB_OFFLINE", None)

from huggingface_hub import HfApi, constants, hf_hub_download, hf_hub_url  # noqa: E402
from huggingface_hub.file_download import http_get, repo_folder_name  # noqa: E402
from huggingface_hub.utils import build_hf_headers, filter_repo_objects  # noqa: E402

from hub_faults import Damaged, Final, asked_wait, final_reason, response_of, what_happened  # noqa: E402
from leftovers import remove_leftovers  # noqa: E402
from part_file import File, Part  # noqa: E402

# What breaks off loses at most this much; the library's own is 10 MB.
constants.DOWNLOAD_CHUNK_SIZE = 1 << 20

# The same weights once more, in forms that engines do not read when there are safetensors.
ALTERNATES = [
    "original/*", "metal/*", "onnx/*", "openvino/*", "coreml/*", "*.pth", "*.h5", "*.msgpack",
    "*.ot", "*.onnx", "*.onnx_data", "*.gguf", "pytorch_model*.bin", "pytorch_model*.bin.index.json",
]
FINAL = 3
MOST_TRIES = 10
LONGEST_WAIT = 60
# A hub that asks for more is waited for in the Job's own back-off.
LONGEST_ASKED = 900
STALL_SECONDS = 900
LARGEST_BY_HTTP = getattr(constants, "MAX_HTTP_DOWNLOAD_SIZE", 50 * 1000**3)

_output = threading.Lock()


def say(kind, **values):
    with _output:
        print(json.dumps({"prefetch": kind, **values}), flush=True)


class Pause:
    """Holds all downloads when the hub asks one of them to wait."""

    def __init__(self):
        self.until = 0.0

    def hold(self, seconds):
        self.until = max(self.until, time.monotonic() + seconds)

    def wait(self):
        while (left := self.until - time.monotonic()) > 0:
            time.sleep(min(left, 1))


class Prefetch:
    def __init__(self, args):
        self.args = args
        self.token = os.environ.get("HF_TOKEN", "").strip() or None
        self.pause = Pause()
        folder = repo_folder_name(repo_id=args.model, repo_type="model")
        self.folder = os.path.join(constants.HF_HUB_CACHE, folder)
        self.locks = os.path.join(constants.HF_HUB_CACHE, ".locks", folder)
        self.files = []
        self.done = 0
        self.waiting = 0

    def patiently(self, action, progress=lambda: 0):
        """Does something until it works; what has got further may fail as often again."""
        tries, reached = 0, progress()
        while True:
            self.pause.wait()
            try:
                return action()
            except Exception as error:  # noqa: BLE001 - whatever the HTTP library throws
                final = final_reason(error, self.args.model, self.args.revision, self.token)
                if final is not None:
                    raise final from error
                if progress() > reached:
                    tries, reached = 0, progress()
                tries += 1
                if tries >= MOST_TRIES:
                    raise
                self.wait_after(error, tries)

    def wait_after(self, error, tries):
        response = response_of(error)
        asked = asked_wait(response)
        status = getattr(response, "status_code", None)
        if asked is not None and asked > LONGEST_ASKED:
            raise error
        seconds = min(LONGEST_WAIT, 2.0 ** tries) * random.uniform(0.5, 1)
        if asked is not None:
            seconds = asked + random.uniform(0, 1)
        say("waiting", why=what_happened(error), seconds=round(seconds, 1), attempt=tries)
        self.waiting += 1
        try:
            if status == 429 or (status == 503 and asked is not None):
                self.pause.hold(seconds)
                self.pause.wait()
            else:
                time.sleep(seconds)
        finally:
            self.waiting -= 1

    def run(self):
        args = self.args
        api = HfApi(token=self.token or False)
        info = self.patiently(
            lambda: api.model_info(
                args.model, revision=args.revision, files_metadata=True, timeout=30
            )
        )
        siblings = {one.rfilename: one for one in info.siblings}
        names = set(
            filter_repo_objects(
                siblings, allow_patterns=args.include or None, ignore_patterns=args.exclude or None
            )
        )
        alternates = set()
        if any(name.endswith(".safetensors") for name in siblings):
            alternates = {
                name for name in siblings if any(fnmatch.fnmatch(name, one) for one in ALTERNATES)
            }
        if not args.include:
            names -= alternates
        if not names:
            raise Final("NO_FILES", f"no file of {args.model} is wanted by --include and --exclude")
        self.files = sorted((File(siblings[name]) for name in names), key=lambda f: -(f.size or 0))
        total = sum(file.size or 0 for file in self.files)
        say("plan", commit=info.sha, bytes=total, files=len(self.files),
            leftOut=len(siblings) - len(names))
        os.makedirs(os.path.join(self.folder, "blobs"), exist_ok=True)
        removed = remove_leftovers(self.locks, os.path.join(self.folder, "blobs"))
        if removed > 0:
            say("tidied", removed=removed)
        self.require_space()
        self.download_all(info.sha)
        self.write_ref(info.sha)
        say("done", commit=info.sha, bytes=total, files=len(self.files),
            whole=names >= set(siblings) - alternates)

    def download_all(self, commit):
        over = threading.Event()
        reporter = threading.Thread(target=self.report, args=(over,), daemon=True)
        reporter.start()
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self.args.concurrency)
        futures = [pool.submit(self.download, file, commit) for file in self.files]
        for future in concurrent.futures.as_completed(futures):
            future.result()
        over.set()
        reporter.join()

    def download(self, file, commit):
        # Some mirrors tell neither; and the library loads the largest files by Xet only.
        if file.blob is not None and file.size is not None and file.size <= LARGEST_BY_HTTP:
            blob = os.path.join(self.folder, "blobs", file.blob)
            if not self.is_there(file, blob):
                part = f"{blob}.dynamo-eks.incomplete"
                self.patiently(lambda: self.fetch(file, part, blob, commit), lambda: file.have)
            path = self.lay_out(file, commit)
        else:
            # Nobody counts its bytes: it must not be taken for one that stands still.
            self.waiting += 1
            try:
                path = self.lay_out(file, commit)
            finally:
                self.waiting -= 1
        file.have = os.path.getsize(path)
        if file.size is not None and file.have != file.size:
            raise Damaged(f"{file.name} has {file.have} bytes instead of {file.size}")
        self.done += 1

    def lay_out(self, file, commit):
        """Gives the blob its name in the snapshot; the library loads what is not there."""
        return self.patiently(
            lambda: hf_hub_download(
                self.args.model, file.name, revision=commit, token=self.token or False,
                etag_timeout=30,
            )
        )

    def is_there(self, file, blob):
        try:
            if os.path.getsize(blob) != file.size:
                return False
        except FileNotFoundError:
            return False
        if self.args.verify:
            digest = file.hasher()
            with open(blob, "rb") as opened:
                while piece := opened.read(1 << 22):
                    digest.update(piece)
                    file.have += len(piece)
            if digest.hexdigest() != file.blob:
                say("damaged", file=file.name)
                file.have = 0
                return False
        return True

    def fetch(self, file, part, blob, commit):
        url = hf_hub_url(self.args.model, file.name, revision=commit)
        headers = build_hf_headers(token=self.token or False)
        # Compressed answers cannot go on in the middle.
        headers["Accept-Encoding"] = "identity"
        opened = Part(file, part)
        try:
            if file.have > 0:
                say("resumed", file=file.name, bytes=file.have)
            http_get(url, opened, resume_size=file.have, headers=headers, expected_size=file.size)
            if file.have != file.size or opened.hash.hexdigest() != file.blob:
                opened.raw.truncate(0)
                file.have = 0
                raise Damaged(f"the checksum of {file.name} is wrong")
            os.replace(part, blob)
        finally:
            opened.close()

    def report(self, over):
        every = float(os.environ.get("PREFETCH_EVERY_SECONDS", "2"))
        total = sum(file.size or 0 for file in self.files)
        samples, moved, last = [], time.monotonic(), -1
        while True:
            now, have = time.monotonic(), sum(file.have for file in self.files)
            samples = [one for one in samples if now - one[0] < 20][-30:] + [(now, have)]
            span = now - samples[0][0]
            rate = max(0, have - samples[0][1]) / span if span > 0 else 0
            say("progress", bytes=have, total=total, files=self.done, of=len(self.files),
                rate=round(rate))
            if have != last or self.waiting > 0:
                moved, last = now, have
            if now - moved > STALL_SECONDS:
                say("failed", code="STALLED", final=False,
                    message=f"no byte came for {STALL_SECONDS} s")
                os._exit(1)
            if over.wait(every):
                say("progress", bytes=sum(file.have for file in self.files), total=total,
                    files=self.done, of=len(self.files), rate=round(rate))
                return

    def require_space(self):
        missing = 0
        for file in self.files:
            if file.blob is None or file.size is None:
                continue
            blob = os.path.join(self.folder, "blobs", file.blob)
            paths = (blob, f"{blob}.dynamo-eks.incomplete")
            missing += max(0, file.size - max(
                os.path.getsize(path) if os.path.exists(path) else 0 for path in paths
            ))
        free = shutil.disk_usage(self.folder).free
        if missing > free:
            raise Final(
                "DISK_FULL",
                f"the volume of the cache has {free / 1e9:.1f} GB free, and "
                f"{missing / 1e9:.1f} GB are to come",
            )

    def write_ref(self, commit):
        revision = self.args.revision
        if revision == commit:
            return
        path = os.path.join(self.folder, "refs", *revision.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.dynamo-eks"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(commit)
        os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--revision", default="main")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--verify", action="store_true")
    prefetch = Prefetch(parser.parse_args())
    try:
        prefetch.run()
        code = 0
    except Exception as error:  # noqa: BLE001 - the last word on whatever went wrong
        final = final_reason(error, prefetch.args.model, prefetch.args.revision, prefetch.token)
        say("failed", code="NETWORK" if final is None else final.code, final=final is not None,
            message=what_happened(error) if final is None else str(final))
        code = 1 if final is None else FINAL
    sys.stdout.flush()
    # Downloads of other threads do not hear of it otherwise.
    os._exit(code)


if __name__ == "__main__":
    main()
