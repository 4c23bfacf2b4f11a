/**
 * Objects of a versioned bucket: nothing is gone before its versions and delete markers are.
 *
 * @module
 */
import type { AwsSession } from "./session.ts";
import { eachOf, listAll, orGone } from "./sweep/pages.ts";

/** One version of an object, or a marker that says it was deleted. */
export interface ObjectVersion {
  /** Key of the object. */
  readonly Key: string;
  /** Which version; `null` for objects of a time when the bucket kept none. */
  readonly VersionId: string | undefined;
}

/** Where versions are looked for. */
export interface VersionsOf {
  /** Name of the bucket. */
  readonly bucket: string;
  /** Start of the keys; all unless given. */
  readonly prefix?: string;
}

interface Markers {
  readonly KeyMarker?: string | undefined;
  readonly VersionIdMarker?: string | undefined;
}

/** All versions and delete markers. */
export async function listObjectVersions(
  aws: AwsSession,
  { bucket: Bucket, prefix: Prefix }: VersionsOf,
): Promise<ObjectVersion[]> {
  const s3 = await aws.s3();
  const where = { Bucket, ...(Prefix === undefined ? {} : { Prefix }) };
  const found = await listAll(
    (token) => s3.listObjectVersions({ ...where, ...markersOf(token) }),
    (answer) => [
      [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])],
      answer.IsTruncated === true ? tokenOf(answer) : undefined,
    ],
  );
  return found.map(({ Key = "", VersionId }) => ({ Key, VersionId }));
}

/** Deletes these very versions for good. */
export async function deleteObjectVersions(
  aws: AwsSession,
  bucket: string,
  versions: readonly ObjectVersion[],
): Promise<void> {
  const s3 = await aws.s3();
  await eachOf(versions, ({ Key, VersionId }) =>
    orGone(s3.deleteObject({
      Bucket: bucket,
      Key,
      ...(VersionId === undefined ? {} : { VersionId }),
    })));
}

// A page may end amid the versions of one key.
function tokenOf(
  { NextKeyMarker, NextVersionIdMarker }: {
    readonly NextKeyMarker?: string | undefined;
    readonly NextVersionIdMarker?: string | undefined;
  },
): string {
  return JSON.stringify({ KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker });
}

function markersOf(token: string | undefined): Markers {
  return token === undefined ? {} : JSON.parse(token);
}
