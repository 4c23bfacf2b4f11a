/**
 * What the doctor looks at and what it says.
 *
 * @module
 */
import type { AwsIdentity, AwsSession } from "../aws/session.ts";
import type { Blueprint, Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import type { Kube } from "../kube/types.ts";
import type { TargetKind } from "../target/target.ts";

/** How a line ends. */
export type Status = "ok" | "warn" | "fail" | "skipped";

/** What a check found. */
export interface Finding {
  /** How it ends. */
  readonly status: Status;
  /** What was seen, or why it matters. */
  readonly why: string;
  /** What to do; nothing for what is well. */
  readonly todo?: string | undefined;
  /** What it is about, when one check has several lines; the check's title otherwise. */
  readonly what?: string;
}

/** A line of the report. */
export interface Line {
  /** Identifier of the check: `aws-identity`. */
  readonly id: string;
  /** What was looked at. */
  readonly what: string;
  /** How it ends. */
  readonly status: Status;
  /** What was seen, or why it matters. */
  readonly why: string;
  /** What to do; empty for what is well. */
  readonly todo: string;
  /** Milliseconds that the check took. */
  readonly ms: number;
}

/** What a check works with. Expensive things are opened once, when the first check wants them. */
export interface Patient {
  /** Its signal ends with the check's deadline. */
  readonly ctx: Context;
  /** Where Dynamo runs, or will. */
  readonly kind: TargetKind;
  /** What the user wants. */
  readonly blueprint: Blueprint;
  /** The release that is wanted. */
  readonly release: Release;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** `--chart-repository`: URL, `oci://…` or folder; NVIDIA's repository when absent. */
  readonly chartRepository?: string | undefined;
  /** Whether tokens may be shown to their issuers (`--online`). */
  readonly online: boolean;
  /** AWS in the blueprint's region. */
  aws(): Promise<AwsSession>;
  /**
   * Who we are to AWS.
   *
   * @throws {TaskError} as `identity`; checks that need AWS are skipped then.
   */
  identity(): Promise<AwsIdentity>;
  /** The cluster, or why there is none to look at yet. */
  cluster(): Promise<Kube | { readonly missing: string }>;
}

/** A check as data. */
export interface Check {
  /** Identifier: `aws-identity`. */
  readonly id: string;
  /** What is looked at, in a few words. */
  readonly title: string;
  /** Targets that it matters to. */
  readonly targets: readonly TargetKind[];
  /** Whether an install runs it first: it is fast, and what it finds would stop the install. */
  readonly quick: boolean;
  /** What must work for it to say anything; it is skipped otherwise. */
  readonly needs?: "aws" | "cluster";
  /** Milliseconds after which it counts as failed. */
  readonly deadlineMs: number;
  /** Looks. Whatever it throws becomes a line of its own. */
  run(patient: Patient): Promise<Finding | readonly Finding[]>;
}

/** All is well. */
export function ok(why: string, what?: string): Finding {
  return { status: "ok", why, ...(what === undefined ? {} : { what }) };
}

/** Works, but should be known. */
export function warn(why: string, todo: string, what?: string): Finding {
  return { status: "warn", why, todo, ...(what === undefined ? {} : { what }) };
}

/** Will not work. */
export function fail(why: string, todo: string, what?: string): Finding {
  return { status: "fail", why, todo, ...(what === undefined ? {} : { what }) };
}

/** Not looked at. */
export function skipped(why: string, what?: string): Finding {
  return { status: "skipped", why, ...(what === undefined ? {} : { what }) };
}
