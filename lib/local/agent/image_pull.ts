/**
 * Images that cannot be pulled. Nothing is pulled here, so nothing could fail either, except for
 * what fails everywhere: a reference that is none, and a registry below `.invalid`, which by
 * RFC 2606 never exists. Two names of that domain stand for the answers that registries give:
 * `not-found.invalid` knows no image, `denied.invalid` gives none away. The course is a kubelet's
 * and the texts are containerd's.
 *
 * @module
 */
import type { AgentParts } from "./agent_parts.ts";
import { nextBackoff } from "./backoff.ts";
import type { ContainerRun } from "./container_run.ts";
import { type Pod, podName } from "./pod_types.ts";

// A kubelet says ErrImagePull until it looks at the pod again.
const ERROR_SHOWN_MS = 1_000;

/** Why an image is not there. */
export interface PullRefusal {
  /** What a kubelet calls it. */
  readonly reason: "ErrImagePull" | "InvalidImageName";
  /** What the registry, or who reads the reference, says. */
  readonly message: string;
}

// https://github.com/distribution/reference: host, path, tag, digest.
const REFERENCE =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?$/;

/** Why an image cannot be had, or undefined when it can. */
export function pullRefusal(image: string): PullRefusal | undefined {
  if (!REFERENCE.test(image)) {
    return {
      reason: "InvalidImageName",
      message: `Failed to apply default image tag "${image}": couldn't parse image name ` +
        `"${image}": invalid reference format`,
    };
  }
  const [host = "", ...path] = image.split("/");
  const name = host.replace(/:\d+$/, "");
  if (path.length === 0 || !name.endsWith(".invalid")) return undefined;
  const unpack =
    `failed to pull and unpack image "${image}": failed to resolve reference "${image}"`;
  const [repository = "", tag = "latest"] = path.join("/").split(":");
  if (name === "not-found.invalid") {
    return refused(`rpc error: code = NotFound desc = ${unpack}: ${image}: not found`);
  }
  if (name === "denied.invalid") {
    return refused(
      `${unpack}: failed to authorize: failed to fetch anonymous token: unexpected status from GET ` +
        `request to https://${host}/token?scope=repository%3A${
          encodeURIComponent(repository)
        }%3Apull&service=${host}: 401 Unauthorized`,
    );
  }
  return refused(
    `${unpack}: failed to do request: Head "https://${host}/v2/${repository}/manifests/${tag}": ` +
      `dial tcp: lookup ${name}: no such host`,
  );
}

function refused(message: string): PullRefusal {
  return { reason: "ErrImagePull", message };
}

/** Tells of a pull that failed, or waits for the next try. Returns when that is due, in milliseconds. */
export function failPull(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
  { reason, message }: PullRefusal,
): number {
  const { name, image = "" } = run.container;
  const say = (type: "Normal" | "Warning", event: string, text: string) =>
    parts.events.report(pod, { type, reason: event, message: text, container: name });
  const wait = (ms: number) => {
    run.startAt = parts.ctx.clock.monotonic() + ms;
    return ms;
  };
  if (reason === "InvalidImageName") {
    if (run.state.kind !== "waiting" || run.state.reason !== reason) {
      say("Warning", "InspectFailed", message);
      say("Warning", "Failed", `Error: ${reason}`);
    }
    run.state = { kind: "waiting", reason, message };
    return wait(parts.backoff.mostMs);
  }
  if (run.state.kind === "waiting" && run.state.reason === reason) {
    const step = nextBackoff(run.pullBackoff ?? parts.backoff.firstMs, 0, parts.backoff);
    run.pullBackoff = step.next;
    const text = `Back-off pulling image "${image}"`;
    say("Normal", "BackOff", text);
    say("Warning", "Failed", "Error: ImagePullBackOff");
    run.state = {
      kind: "waiting",
      reason: "ImagePullBackOff",
      message: `${text}: ${reason}: ${message}`,
    };
    return wait(step.waitMs);
  }
  say("Normal", "Pulling", `Pulling image "${image}"`);
  say("Warning", "Failed", `Failed to pull image "${image}": ${message}`);
  say("Warning", "Failed", `Error: ${reason}`);
  run.state = { kind: "waiting", reason, message };
  parts.ctx.ui.info(`${podName(pod)}: image ${image} cannot be pulled`);
  return wait(ERROR_SHOWN_MS);
}
