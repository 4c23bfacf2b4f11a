/**
 * What terraform could not do, in words that say what to do.
 *
 * @module
 */
import { EXIT, type ExitCode, TaskError } from "../cli/errors.ts";
import { type Backend, stackOf } from "./backend.ts";
import type { Diagnostic } from "./stream.ts";

/** What failed. */
export interface TerraformFailure {
  /** `plan`, `apply`, `destroy`, `init` … */
  readonly command: string;
  /** Exit code; undefined when it is not known. */
  readonly code: number | undefined;
  /** What it said. */
  readonly diagnostics: readonly Diagnostic[];
  /** Addresses at which it failed: what is said of a destroy names none. */
  readonly failed?: readonly string[];
  /** Last lines that were no events. */
  readonly text: readonly string[];
  /** File with the whole output. */
  readonly logFile?: string | undefined;
  /** Where the state is: the S3 backend's locks stay after a crash, those of files do not. */
  readonly backend?: Backend;
}

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string;
}

const AGAIN = "Then run the same task again: it goes on where this one stopped.";

// The first that matches wins.
const RULES: readonly Rule[] = [
  {
    pattern:
      /ExpiredToken|RequestExpired|token .{0,40}(is|has) expired|SSO session .{0,60}expired/i,
    code: "AWS_EXPIRED",
    exitCode: EXIT.precondition,
    hint: `Log in again (aws sso login, or new keys). ${AGAIN}`,
  },
  {
    pattern: /No valid credential sources|no EC2 IMDS role|failed to refresh cached credentials/i,
    code: "AWS_NO_CREDENTIALS",
    exitCode: EXIT.precondition,
    hint: `Give terraform credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID or a role. ${AGAIN}`,
  },
  {
    pattern: /InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|AuthFailure/i,
    code: "AWS_BAD_CREDENTIALS",
    exitCode: EXIT.precondition,
    hint: `Check the credentials and the clock of this machine. ${AGAIN}`,
  },
  {
    pattern: /Throttl|TooManyRequests|RequestLimitExceeded|Rate exceeded|StatusCode: 429|SlowDown/i,
    code: "AWS_THROTTLED",
    exitCode: EXIT.failed,
    hint: `AWS asks for patience: wait a minute. ${AGAIN}`,
  },
  {
    pattern:
      /LimitExceeded|QuotaExceeded|VcpuLimitExceeded|maximum number of .{0,40} (has been|reached)/i,
    code: "AWS_QUOTA",
    exitCode: EXIT.precondition,
    hint: `deno task doctor --target eks names the quota; ask AWS to raise it. ${AGAIN}`,
  },
  {
    pattern: /AccessDenied|UnauthorizedOperation|not authorized to perform/i,
    code: "AWS_DENIED",
    exitCode: EXIT.precondition,
    hint: `Add the permission, or use another role. ${AGAIN}`,
  },
  {
    pattern: /AlreadyExists|ResourceInUseException|already exists/i,
    code: "TERRAFORM_EXISTS",
    exitCode: EXIT.precondition,
    hint: "Something of that name is there and not in this state: choose another --name, " +
      "take it away, or import it with terraform in the work folder.",
  },
  {
    pattern:
      /Failed to (query|install)|could not connect to registry|Failed to download module|Module not found/i,
    code: "TERRAFORM_DOWNLOAD",
    exitCode: EXIT.precondition,
    hint: "Check the network and HTTPS_PROXY; a mirror is named in TF_CLI_CONFIG_FILE.",
  },
];

// While something is destroyed "in use" and "exists" mean what terraform does not know of.
const DESTROY_RULES: readonly Rule[] = [
  {
    pattern:
      /DependencyViolation|DeleteConflict|ResourceInUse|InUseException|has dependenc|NotEmpty|currently in use/i,
    code: "TERRAFORM_IN_USE",
    exitCode: EXIT.failed,
    hint: "Something that terraform does not know of still uses it. If it does not go by itself " +
      "within minutes, deno task cleanup --audit tells what carries the cluster's tags; what " +
      `others made in its network is theirs to take away. ${AGAIN}`,
  },
];

const MOST_EVIDENCE = 8;
const TEXT_LINES = 12;

/** Makes the error: codes are those of the rules above, TERRAFORM_LOCKED and TERRAFORM_FAILED. */
export function terraformError(failure: TerraformFailure): TaskError {
  const errors = failure.diagnostics.filter(({ severity, summary }) =>
    severity === "error" && summary !== "execution halted"
  );
  const [first, ...rest] = distinct(withAddresses(errors, failure.failed));
  const where = failure.logFile === undefined ? [] : [`Everything it said: ${failure.logFile}`];
  if (first === undefined) {
    return new TaskError({
      code: "TERRAFORM_FAILED",
      message: `terraform ${failure.command} ended with ${exitWords(failure.code)}`,
      hint: "Run the same task again: it goes on where this one stopped.",
      evidence: [...failure.text.slice(-TEXT_LINES), ...where],
    });
  }
  const lock = lockOf(first);
  if (lock !== undefined) return lockedError(lock, failure);
  const everything = errors.map(({ summary, detail }) => `${summary}\n${detail}`).join("\n");
  const rule = rulesOf(failure).find(({ pattern }) => pattern.test(everything));
  const more = rest.length > MOST_EVIDENCE ? [`and ${rest.length - MOST_EVIDENCE} more`] : [];
  return new TaskError({
    code: rule?.code ?? "TERRAFORM_FAILED",
    message: describe(first),
    hint: rule?.hint ?? `Put it right. ${AGAIN}`,
    exitCode: rule?.exitCode ?? EXIT.failed,
    evidence: [...rest.slice(0, MOST_EVIDENCE).map(describe), ...more, ...where],
  });
}

function rulesOf({ command }: TerraformFailure): readonly Rule[] {
  if (command !== "destroy") return RULES;
  return [...RULES.filter(({ code }) => code !== "TERRAFORM_EXISTS"), ...DESTROY_RULES];
}

/** `aws_vpc.this: Summary: detail (main.tf:12)`. */
export function describe({ address, summary, detail, place }: Diagnostic): string {
  const about = address === undefined ? "" : `${address}: `;
  const lines = detail.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const text = lines.length === 0 ? summary : `${summary}: ${lines.join(" ")}`;
  return `${about}${text}${place === undefined ? "" : ` (${place})`}`;
}

/** Where one thing failed and one error names nothing, they belong together; else what failed is told. */
function withAddresses(
  errors: readonly Diagnostic[],
  failed: readonly string[] = [],
): readonly Diagnostic[] {
  const named = new Set(errors.map(({ address }) => address));
  const rest = [...new Set(failed)].filter((one) => !named.has(one));
  const nameless = errors.filter(({ address }) => address === undefined);
  const [address] = rest;
  if (address === undefined) return errors;
  if (rest.length === 1 && nameless.length === 1) {
    return errors.map((one) => one === nameless[0] ? { ...one, address } : one);
  }
  return [...errors, { severity: "error", summary: "Failed", detail: rest.join(", ") }];
}

function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map(diagnostics.map((one) => [describe(one), one]));
  return [...seen.values()];
}

function exitWords(code: number | undefined): string {
  if (code === undefined) return "an unknown result";
  return code > 128 ? `signal ${code - 128}` : `exit code ${code}`;
}

/** Who holds a state's lock, as terraform tells it. */
interface StateLock {
  readonly id: string;
  readonly who: string;
  readonly since: string;
  readonly operation: string;
}

function lockOf({ summary, detail }: Diagnostic): StateLock | undefined {
  if (!/state lock/i.test(summary)) return undefined;
  const field = (name: string) => new RegExp(`^\\s*${name}:\\s*(.*?)\\s*$`, "m").exec(detail)?.[1];
  return {
    id: field("ID") ?? "",
    who: field("Who") || "somebody",
    since: (field("Created") ?? "").replace(/\.\d+ \+0000 UTC$/, " UTC") || "an unknown time",
    operation: (field("Operation") ?? "").replace(/^OperationType/, "").toLowerCase() || "work",
  };
}

function lockedError(lock: StateLock, { command, backend }: TerraformFailure): TaskError {
  const { name, region } = (backend && stackOf(backend)) ?? {};
  const left = name !== undefined && lock.id !== ""
    ? "If that run is long gone (its machine was lost, or it was killed), its lock was left " +
      `behind: deno task infra unlock ${lock.id} --name ${name} --region ${region} takes it away.`
    : "A lock on this machine goes with its process, so something is at work there now.";
  return new TaskError({
    code: "TERRAFORM_LOCKED",
    message: `terraform ${command} cannot have the state: ${lock.who} has had it locked ` +
      `since ${lock.since} (${lock.operation})`,
    hint: `Wait until that run is done, then run the same task again. ${left}`,
    exitCode: EXIT.precondition,
  });
}
