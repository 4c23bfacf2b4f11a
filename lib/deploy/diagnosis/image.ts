/**
 * Images that cannot be pulled, and whether trying again helps. Texts are containerd's, as the
 * kubelet passes them on.
 *
 * @module
 */
import { containersOf, eventsAbout, oneLine, troubledPods } from "./objects.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "./types.ts";

// Two tries of the kubelet, 10 s apart.
const PULL_GRACE_MS = 8_000;
// A node that has just joined may be refused until its role has reached every part of AWS.
const DENIED_GRACE_MS = 15_000;
const UNREACHABLE_GRACE_MS = 30_000;

const WAITING = [
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
];

/** Images of a component that are not pulled; one diagnosis an image. */
export function diagnoseImages(facts: ClusterFacts, component: ComponentObjects): Diagnosis[] {
  const seen = new Set<string>();
  const found: Diagnosis[] = [];
  for (const pod of troubledPods(component)) {
    for (const { image, status } of containersOf(pod)) {
      const { reason, message = "" } = status["state"]?.waiting ?? {};
      if (!WAITING.includes(reason) || seen.has(image)) continue;
      seen.add(image);
      // While it backs off, only the event before says what the registry answered.
      const failed = eventsAbout(facts.events, pod).findLast((event) =>
        event["reason"] === "Failed" && /pull image/i.test(event["message"] ?? "") &&
        event["message"].includes(image)
      );
      const text = `${failed?.["message"] ?? ""} ${message}`;
      found.push({ component: component.name, ...imageTrouble(image, reason, text) });
    }
  }
  return found;
}

/** What a failed pull means. */
export function imageTrouble(
  image: string,
  reason: string,
  said: string,
): Omit<Diagnosis, "component"> {
  // A name may hold any word.
  const host = image.split("/")[0]!;
  const text = said.replaceAll(image, "").replaceAll(host, "");
  const final = (code: string, cause: string, hint: string, graceMs: number) => ({
    code,
    cause,
    hint,
    final: true,
    graceMs,
  });
  if (reason === "InvalidImageName") {
    return final("IMAGE_NAME", `"${image}" is not the name of an image`, NAME_HINT, 0);
  }
  if (reason === "ErrImageNeverPull") {
    return final(
      "IMAGE_NOT_THERE",
      `image ${image} is not on the node, and imagePullPolicy is Never`,
      "Let it be pulled: imagePullPolicy IfNotPresent.",
      PULL_GRACE_MS,
    );
  }
  // Some registries say both, so as not to tell which repositories there are.
  if (/pull access denied|insufficient_scope|may require authorization/i.test(text)) {
    return final(
      "IMAGE_DENIED",
      `the registry does not give image ${image} away: it does not exist, or takes a login`,
      LOGIN_HINT,
      DENIED_GRACE_MS,
    );
  }
  if (
    /\b401\b|unauthori[sz]ed|authentication required|no basic auth|\b403\b|forbidden|denied/i.test(
      text,
    )
  ) {
    return final(
      "IMAGE_DENIED",
      `the registry refuses to give image ${image} away (${
        /\b403\b|forbidden|denied/i.test(text) ? "403 forbidden" : "401 unauthorised"
      })`,
      LOGIN_HINT,
      DENIED_GRACE_MS,
    );
  }
  if (/no match for platform|exec format|no matching manifest/i.test(text)) {
    return final(
      "IMAGE_PLATFORM",
      `image ${image} is not made for the node's processor`,
      "Choose a node pool of the other architecture, or another image.",
      PULL_GRACE_MS,
    );
  }
  if (/\bnot found\b|manifest unknown|\b404\b|does not exist/i.test(text)) {
    return final(
      "IMAGE_NOT_FOUND",
      `image ${image} does not exist in its registry`,
      NAME_HINT,
      PULL_GRACE_MS,
    );
  }
  if (/no space left/i.test(text)) {
    return final(
      "NODE_DISK",
      `the node's disk is too small for image ${image}`,
      "Give the node pool's nodes a larger root volume; runtime images take 10 to 30 GB unpacked.",
      PULL_GRACE_MS,
    );
  }
  if (/no such host|certificate|x509/i.test(text)) {
    return final(
      "IMAGE_UNREACHABLE",
      `the registry ${host} of image ${image} cannot be reached: ${lastPart(text)}`,
      "Check the registry's name and that the nodes can reach it.",
      UNREACHABLE_GRACE_MS,
    );
  }
  // Overload, time-outs, broken connections: the kubelet's next try may do.
  const last = lastPart(text) || reason;
  return {
    code: "IMAGE_PULL",
    cause: `image ${image} is not pulled yet: ${last}`,
    hint: "The kubelet goes on trying.",
    final: false,
    graceMs: 0,
  };
}

const NAME_HINT =
  "Check --image, the release (deno task config) and its tag; --dry-run --output yaml shows the " +
  "images.";
const LOGIN_HINT =
  "Check the image's name, then the pull secrets. NVIDIA's public images take none: a wrong " +
  "ngc-pull-secret breaks them, kubectl delete secret takes it away.";

// Causes are nested with colons; the innermost one says most.
function lastPart(text: string): string {
  const parts = text.trim().split(/:\s+/);
  return oneLine(parts.slice(-2).join(": "), 160);
}
