/**
 * What went wrong between us and AWS, in words that say what to do.
 *
 * @module
 */
import { EXIT, type ExitCode, messageOf, TaskError } from "../cli/errors.ts";

/** Which call failed, and as whom. */
export interface FailedCall {
  /** As IAM policies name it: `ec2:DescribeVpcs`. */
  readonly action: string;
  /** Region, or what stands for it. */
  readonly region: string;
  /** Named profile of the AWS configuration; absent for the default chain. */
  readonly profile?: string | undefined;
  /** Where requests go instead of AWS (`AWS_ENDPOINT_URL`). */
  readonly endpoint?: string | undefined;
}

/** The parts of an SDK error that are read. */
interface SdkFault {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly attempts: number | undefined;
}

const EXPIRED = /^(ExpiredToken|RequestExpired|TokenRefreshRequired|ExpiredTokenException)/;
const INVALID =
  /^(InvalidClientTokenId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|InvalidSignature|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken|RequestTimeTooSkewed|InvalidToken)/;
const DENIED =
  /^(AccessDenied|UnauthorizedOperation|Unauthorized|AuthorizationError|Forbidden|NotAuthorized)|UnauthorizedOperation$/;
const THROTTLED =
  /Throttl|^(TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded|PriorRequestNotComplete|ProvisionedThroughputExceeded)/;
const NOT_FOUND = /NotFound|^NoSuch/;
const OPT_IN = /^(OptInRequired|SubscriptionRequired)/;

/**
 * Turns anything thrown by the SDK into a TaskError. Codes: AWS_NO_CREDENTIALS, AWS_EXPIRED,
 * AWS_BAD_CREDENTIALS, AWS_DENIED, AWS_NOT_ENABLED, AWS_THROTTLED, AWS_UNREACHABLE,
 * AWS_NOT_FOUND, and AWS_FAILED for everything else. {@link awsErrorName} tells AWS's own name.
 */
export function awsError(error: unknown, call: FailedCall): TaskError {
  if (error instanceof TaskError) return error;
  const fault = readFault(error);
  const { name, message, status } = fault;
  const what = `${call.action} in ${call.region}`;
  const login = loginHint(call);
  if (/CredentialsProviderError|TokenProviderError/.test(name)) return noCredentials(fault, call);
  if (EXPIRED.test(name)) {
    return made("AWS_EXPIRED", "The AWS credentials have expired", {
      hint: `Log in again: ${login}. Then run the same task again.`,
      exitCode: EXIT.precondition,
    });
  }
  // Answers about signatures quote the request, and with it the session token: they are not shown.
  if (INVALID.test(name)) {
    return made("AWS_BAD_CREDENTIALS", `AWS refused the credentials (${name}) for ${what}`, {
      hint: `Check access key, profile and this machine's clock, or log in again: ${login}. ` +
        "A region that is not enabled for the account is refused in the same way.",
      exitCode: EXIT.precondition,
    });
  }
  if (OPT_IN.test(name)) {
    return made("AWS_NOT_ENABLED", `The account has not enabled ${what}: ${plain(message)}`, {
      hint: "Enable the service or region in the account, or choose another region.",
      exitCode: EXIT.precondition,
    });
  }
  if (THROTTLED.test(name) || status === 429) {
    const tries = fault.attempts === undefined ? "" : ` after ${fault.attempts} attempts`;
    return made("AWS_THROTTLED", `AWS is limiting calls of ${call.action}${tries}`, {
      hint: "Wait a minute and run the same task again; something else in the account is calling " +
        "often. AWS_MAX_ATTEMPTS raises the number of attempts.",
      cause: error,
    });
  }
  if (DENIED.test(name) || status === 403) {
    return made("AWS_DENIED", `Not permitted: ${what}: ${plain(message)}`, {
      hint: `Have ${call.action} allowed for this identity, or use another one: ${login}.`,
      exitCode: EXIT.precondition,
      cause: error,
    });
  }
  if (status === undefined || status >= 500) return unreachable(fault, call, error);
  return made(
    NOT_FOUND.test(name) || status === 404 ? "AWS_NOT_FOUND" : "AWS_FAILED",
    `${what} failed: ${name}: ${plain(message)}`,
    { cause: error },
  );
}

/** AWS's own name of what went wrong, such as `ResourceInUseException`; undefined for other errors. */
export function awsErrorName(error: unknown): string | undefined {
  const cause = error instanceof TaskError ? error.cause : error;
  return cause instanceof Error && "$metadata" in cause ? cause.name : undefined;
}

function readFault(error: unknown): SdkFault {
  const fault = error as {
    name?: string;
    Code?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
    $response?: { statusCode?: number };
  };
  return {
    name: fault?.name ?? "Error",
    message: messageOf(error),
    status: fault?.$metadata?.httpStatusCode ?? fault?.$response?.statusCode,
    attempts: fault?.$metadata?.attempts,
  };
}

function noCredentials(fault: SdkFault, call: FailedCall): TaskError {
  const login = loginHint(call);
  if (/expired|invalid_grant|re-?authenticate|sso login/i.test(fault.message)) {
    return made("AWS_EXPIRED", "The AWS sign-in has expired", {
      hint: `Log in again: ${login}. Then run the same task again.`,
      exitCode: EXIT.precondition,
    });
  }
  const where = call.profile === undefined ? "" : ` in profile "${call.profile}"`;
  return made("AWS_NO_CREDENTIALS", `No AWS credentials${where}: ${plain(fault.message)}`, {
    hint: `Log in (${login}), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and ` +
      "AWS_SECRET_ACCESS_KEY. No AWS is needed for --target local.",
    exitCode: EXIT.precondition,
  });
}

function unreachable(fault: SdkFault, call: FailedCall, cause: unknown): TaskError {
  const where = call.endpoint ?? `AWS in ${call.region}`;
  const why = fault.status === undefined
    ? plain(fault.message)
    : `it answered with status ${fault.status}`;
  return made("AWS_UNREACHABLE", `${where} cannot be reached for ${call.action}: ${why}`, {
    hint: call.endpoint === undefined
      ? `Check the network, HTTPS_PROXY and the region's name (${call.region}).`
      : "Check AWS_ENDPOINT_URL, which takes the place of AWS's own addresses.",
    cause,
  });
}

function loginHint(call: FailedCall): string {
  return call.profile === undefined
    ? "aws sso login, or new access keys"
    : `aws sso login --profile ${call.profile}`;
}

// EC2 appends kilobytes of an encoded message; nobody can read it.
function plain(message: string): string {
  return message.replace(/\s*Encoded authorization failure message:.*$/s, "")
    .replace(/\s*Deserialization error: to see.*$/s, "").replace(/\s+/g, " ").trim().slice(0, 400);
}

function made(
  code: string,
  message: string,
  options: { hint?: string; exitCode?: ExitCode; cause?: unknown },
): TaskError {
  return new TaskError({ code, message, ...options });
}
