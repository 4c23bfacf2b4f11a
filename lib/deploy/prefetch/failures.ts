/**
 * Why a download ended without the model, and what to do about it. Pure.
 *
 * @module
 */
import { EXIT, TaskError } from "../../cli/errors.ts";
import type { Failed } from "./messages.ts";

const TOKEN_HINT = "Set HF_TOKEN to a token with read permission and run it again: the task puts " +
  "it into the Secret that the download reads.";
const VOLUME_HINT = "Remove models that nobody needs any more, or give another, larger claim: " +
  "--cache-pvc NAME --size 1Ti.";

interface Remedy {
  readonly hint: string;
  readonly exitCode?: 1 | 3;
}

const REMEDIES: Readonly<Record<string, Remedy>> = {
  GATED: {
    hint: "Accept the licence on the model's page with the account of the token, and wait for " +
      `the owner's yes where it takes one. ${TOKEN_HINT}`,
    exitCode: EXIT.precondition,
  },
  UNAUTHORISED: {
    hint: `A private or gated model takes a token, and a wrong name looks the same. ${TOKEN_HINT}`,
    exitCode: EXIT.precondition,
  },
  NO_MODEL: {
    hint: `Check the name; capitals count. If it is private: ${TOKEN_HINT}`,
    exitCode: EXIT.precondition,
  },
  NO_REVISION: {
    hint: "Check --revision: a branch, a tag or a whole commit of the model.",
    exitCode: EXIT.precondition,
  },
  NO_FILES: { hint: "Check --include and --exclude.", exitCode: EXIT.precondition },
  DISK_FULL: { hint: VOLUME_HINT, exitCode: EXIT.precondition },
  NOT_WRITABLE: {
    hint: "The pod's user must be allowed to write to the volume: see the access point (EFS), or " +
      "give another claim with --cache-pvc.",
    exitCode: EXIT.precondition,
  },
  NETWORK: {
    hint: "Can the cluster's nodes reach the hub? HF_ENDPOINT names a mirror. Run it again: it " +
      "goes on where it stopped.",
  },
  STALLED: { hint: "Run it again: it goes on where it stopped." },
};

/** What is known of a download that failed. */
export interface PrefetchFailure {
  /** The model, for the message. */
  readonly model: string;
  /** Reason in the Job's condition. */
  readonly reason: string;
  /** Message of the Job's condition. */
  readonly message: string;
  /** What the program said last. */
  readonly failed: Failed | undefined;
  /** Lines about the Job and its pods. */
  readonly evidence: readonly string[];
}

/** The error of a download that failed. */
export function prefetchError(failure: PrefetchFailure): TaskError {
  const { model, reason, message, failed, evidence } = failure;
  if (reason === "DeadlineExceeded") {
    return new TaskError({
      code: "PREFETCH_TIMEOUT",
      message: `${model} was not complete when the Job's time was over`,
      hint: "Run it again, with a longer --timeout: it goes on where it stopped.",
      exitCode: EXIT.timeout,
      evidence,
    });
  }
  const known = failed === undefined ? undefined : REMEDIES[failed.code];
  return new TaskError({
    code: failed === undefined ? "PREFETCH_FAILED" : `PREFETCH_${failed.code}`,
    message: `${model} was not downloaded: ${failed?.message ?? `${reason}, ${message}`}`,
    hint: known?.hint ?? "Run it again: it goes on where it stopped.",
    ...(known?.exitCode === undefined ? {} : { exitCode: known.exitCode }),
    evidence,
  });
}
