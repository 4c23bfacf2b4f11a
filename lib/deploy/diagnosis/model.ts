/**
 * What a worker's last log lines say about its model, its GPU and its node. Texts of
 * huggingface_hub, PyTorch, CUDA and the engines; read from logs, so judged with care: a line
 * alone is final only where another start ends the same way.
 *
 * @module
 */
import { oneLine } from "./objects.ts";
import type { Diagnosis } from "./types.ts";

interface Pattern {
  readonly code: string;
  /** What the line looks like. */
  readonly line: RegExp;
  readonly cause: string;
  readonly hint: string;
  /** Whether the same happens again. */
  readonly final: boolean;
}

const TOKEN_PAGE = "https://huggingface.co/settings/tokens";

// The first that matches counts, so the more exact ones come first.
const PATTERNS: readonly Pattern[] = [
  {
    code: "HF_RATE_LIMIT",
    line:
      /\b429\b.*(Client Error|Too Many Requests.*(huggingface|hf\.co))|Too Many Requests.*huggingface|rate limit.*huggingface/i,
    cause: "Hugging Face answers 429: too many downloads at a time",
    hint: "It may go on by itself. With HF_TOKEN set the limits are higher; deno task prefetch " +
      "downloads once for all pods.",
    final: false,
  },
  {
    code: "HF_FORBIDDEN",
    line:
      /\b403 Client Error|\b403\b.*Forbidden.*(huggingface|hf\.co)|not in the authorized list|awaiting a review|Access to model .* is restricted and you are not/i,
    cause: "Hugging Face answers 403: the token's account may not use this model",
    hint: "Ask for access on the model's page, and use a token of that account (HF_TOKEN).",
    final: true,
  },
  {
    code: "HF_UNAUTHORIZED",
    line:
      /\b401 Client Error|\b401\b.*Unauthorized.*(huggingface|hf\.co)|GatedRepoError|Cannot access gated repo|Invalid user token|Invalid credentials in Authorization header/i,
    cause: "Hugging Face answers 401: there is no token, or not a valid one",
    hint: `Set HF_TOKEN to a token with read permission (${TOKEN_PAGE}) and deploy again; gated ` +
      "models also take an agreement on their page.",
    final: true,
  },
  {
    code: "MODEL_UNKNOWN",
    line:
      /RepositoryNotFoundError|\b404\b.*Client Error.*huggingface|is not a local folder and is not a valid model identifier/i,
    cause: "Hugging Face knows no such model, or does not show it to this token",
    hint: "Check the spelling of --model.",
    final: true,
  },
  {
    code: "HF_UNREACHABLE",
    line:
      /(huggingface\.co|hf\.co).*(Max retries exceeded|Name or service not known|Connection (refused|timed out)|Temporary failure in name resolution)|couldn't connect to 'https:\/\/huggingface\.co'|LocalEntryNotFoundError|OfflineModeIsEnabled/i,
    cause: "the pod cannot reach Hugging Face, and the model is not in its cache",
    hint: "Check that the nodes reach huggingface.co (NAT, proxy), or download the model before " +
      "(deno task prefetch).",
    final: false,
  },
  {
    code: "GPU_MEMORY",
    line:
      /CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|No available memory for the cache blocks|KV cache.*(larger|greater) than the (maximum|available)|max seq(uence)? len.*larger than.*KV cache|Free memory on device.*less than desired/i,
    cause: "the GPU's memory is too small for the model and its KV cache",
    hint: "--max-model-len, --tensor-parallel, or a node pool with larger GPUs.",
    final: true,
  },
  {
    code: "GPU_DRIVER",
    line:
      /driver (on your system|version) is (too old|insufficient)|CUDA driver version is insufficient|unsatisfied condition: cuda|forward compatibility was attempted/i,
    cause: "the node's NVIDIA driver is too old for the image's CUDA",
    hint: "From Dynamo 1.3 on nodes need driver 580 or newer: use a newer AMI for the node pool.",
    final: true,
  },
  {
    code: "GPU_NONE",
    line:
      /No CUDA GPUs are available|no CUDA-capable device|Failed to infer device type|libcuda\.so\.1: cannot open/i,
    cause: "the container sees no GPU",
    hint: "Give the component gpus, and a node pool with GPUs.",
    final: true,
  },
  {
    code: "SHARED_MEMORY",
    line: /SIGBUS|bus error|No space left on device.*\/dev\/shm|\/dev\/shm.*No space left/i,
    cause: "shared memory (/dev/shm) is too small",
    hint: "--shared-memory 16Gi or more, when a model is split over GPUs.",
    final: true,
  },
  {
    code: "NODE_DISK",
    line: /No space left on device|Errno 28/i,
    cause: "the disk is full",
    hint: "Give the node pool's nodes a larger root volume, or keep models in --cache-pvc.",
    final: true,
  },
];

/** What the last lines of a container say; undefined when they say nothing that is known. */
export function modelTrouble(
  component: string,
  lines: readonly string[],
  ended: boolean,
): Diagnosis | undefined {
  for (const { line: pattern, code, cause, hint, final } of PATTERNS) {
    const line = lines.findLast((one) => pattern.test(one));
    if (line === undefined) continue;
    return {
      code,
      component,
      cause: `${cause} (${oneLine(line, 140)})`,
      hint,
      // While it runs it may still get over it.
      final: final && ended,
      graceMs: 0,
    };
  }
  return undefined;
}

/** Whether a line of a running container is worth a look at once. */
export function isTelling(line: string): boolean {
  return PATTERNS.some((pattern) => pattern.line.test(line));
}
