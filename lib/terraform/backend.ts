/**
 * Where terraform's state is: a file of the work folder, or S3 with S3's own locking.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import { compareVersions, OLDEST_FOR_S3_LOCK, type TerraformProgram } from "./program.ts";
import type { StackRef } from "./work_folder.ts";

/** Where a state is. */
export type Backend =
  | { readonly kind: "local" }
  | {
    readonly kind: "s3";
    /** Bucket of the account and region. */
    readonly bucket: string;
    /** Region of the bucket. */
    readonly region: string;
    /** Key of the state in it. */
    readonly key: string;
  };

/** What is remembered of a work folder, in `stack.json`. */
export interface StackNote extends StackRef {
  /** AWS account that the state belongs to. */
  readonly account: string;
  /** Where the state is. */
  readonly backend: Backend;
}

/** Name of the bucket: one an account and region, as names of buckets are the world's. */
export function stateBucketName(account: string, region: string): string {
  return `dynamo-eks-state-${account}-${region}`;
}

/** The backend in that bucket. */
export function s3Backend(account: string, { region, name }: StackRef): Backend {
  return {
    kind: "s3",
    bucket: stateBucketName(account, region),
    region,
    key: `${region}/${name}/terraform.tfstate`,
  };
}

/** Which cluster a state in S3 is of; undefined for states on this machine, which do not say. */
export function stackOf(backend: Backend): StackRef | undefined {
  if (backend.kind === "local") return undefined;
  const { key, region } = backend;
  const name = key.split("/").at(-2);
  return name === undefined ? undefined : { region, name };
}

/** Contents of `backend.tf.json`. No credentials: terraform finds those as for everything else. */
export function backendConfiguration(
  backend: Backend,
  endpoint?: string | undefined,
): Record<string, unknown> {
  if (backend.kind === "local") return { terraform: { backend: { local: {} } } };
  const { bucket, key, region } = backend;
  return {
    terraform: {
      backend: {
        s3: {
          bucket,
          key,
          region,
          encrypt: true,
          use_lockfile: true,
          // Names of buckets are no hosts where AWS_ENDPOINT_URL points to.
          ...(endpoint === undefined ? {} : { use_path_style: true }),
        },
      },
    },
  };
}

/**
 * Refuses programs that cannot lock a state in S3.
 *
 * @throws {TaskError} TERRAFORM_OLD (exit code 3).
 */
export function requireS3Locking({ path, product, version }: TerraformProgram): void {
  if (compareVersions(version, OLDEST_FOR_S3_LOCK) >= 0) return;
  throw preconditionError(
    "TERRAFORM_OLD",
    `${path} is ${product} ${version}, which cannot lock a state in S3 without DynamoDB`,
    `Use ${OLDEST_FOR_S3_LOCK} or newer with --backend s3.`,
  );
}

function noteFile(folder: string): string {
  return `${folder}/stack.json`;
}

/** What an earlier run noted, or undefined before the first. */
export async function readStackNote(
  ctx: Context,
  folder: string,
): Promise<StackNote | undefined> {
  const text = await readIfThere(ctx, noteFile(folder));
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text);
    if (typeof note?.account === "string" && typeof note?.backend?.kind === "string") return note;
  } catch {
    // Said below.
  }
  throw preconditionError(
    "STACK_BROKEN",
    `${noteFile(folder)} cannot be read`,
    "It says which account the folder's state belongs to; put it back from a backup.",
  );
}

/** Notes it. */
export async function writeStackNote(
  ctx: Context,
  folder: string,
  note: StackNote,
): Promise<void> {
  await writeFileAtomic(ctx, noteFile(folder), JSON.stringify(note, null, 2) + "\n");
}
