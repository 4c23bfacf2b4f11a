/**
 * From a Dynamo version to what it brings and needs.
 *
 * @module
 */
import { preconditionError, type TaskError, usageError } from "../cli/errors.ts";
import {
  DEFAULT_NAMESPACE,
  IMAGE_TAGS,
  NEWEST_KNOWN,
  PLATFORM_CHARTS,
  RELEASE_RULES,
  type ReleaseRules,
  type VersionNumbers,
  versionNumbers,
} from "./release_table.ts";
import { describePlace } from "./source.ts";
import { compareVersions, type Release, type Source } from "./types.ts";

/** The versions accepted, for messages. */
export const ACCEPTED_VERSIONS: string =
  "Accepted: [v]X.Y.Z or [v]X.Y.Z-postN (v0.4.1, 1.0.2, 0.9.0-post1), or a private build's tag " +
  "that begins with the version it was built from (1.2.0-mybuild.7).";

const VERSION = /^v?(\d{1,4}\.\d{1,4}\.\d{1,4})(?:-(post\d+)|[-.]([\w.-]+))?$/;
const IMAGE_VARIANT = /(?:^|-)(?:cuda\d+|efa|efa-amd64|enterprise)$/;
// Longest tag of an image (OCI distribution specification).
const MAX_TAG = 128;

/**
 * Says what a version brings and needs. A version newer than our tables gets the rules of
 * the nearest older one, with {@link Release.warning} set.
 *
 * @param version As the user wrote it: `v0.4.1`.
 * @param source Where it was written, for messages.
 * @throws {TaskError} DYNAMO_VERSION_INVALID or DYNAMO_VERSION_TOO_OLD: exit code 2 when it
 * came from a flag, else 3.
 */
export function resolveRelease(version: string, source: Source = { kind: "default" }): Release {
  const match = VERSION.exec(version);
  if (match === null || version.length > MAX_TAG) {
    throw refused(
      source,
      "DYNAMO_VERSION_INVALID",
      `"${version}" is not a Dynamo version`,
      ACCEPTED_VERSIONS,
    );
  }
  const [, numbers, post, build] = match as unknown as [string, string, string?, string?];
  if (build !== undefined && IMAGE_VARIANT.test(build)) {
    throw refused(
      source,
      "DYNAMO_VERSION_INVALID",
      `"${version}" is the tag of one image, not a Dynamo version`,
      `Leave out the variant: ${numbers}. ${ACCEPTED_VERSIONS}`,
    );
  }
  const semver = versionNumbers(numbers);
  const rules = rulesOf(semver);
  if (rules === undefined) {
    const oldest = RELEASE_RULES[0]!.since;
    throw refused(
      source,
      "DYNAMO_VERSION_TOO_OLD",
      `Dynamo ${numbers} is older than ${oldest}, the oldest version supported`,
      `Ask for v${oldest} or later.`,
    );
  }
  const tag = version.replace(/^v/, "");
  const published = post === undefined ? numbers : `${numbers}-${post}`;
  const warning = warningFor(tag, semver, rules, build !== undefined);
  return {
    version: tag,
    semver,
    rules: rules.since,
    source,
    imageTag: IMAGE_TAGS[tag] ?? tag,
    charts: {
      platform: PLATFORM_CHARTS[published] ?? published,
      ...(rules.crdsChart ? { crds: numbers } : {}),
    },
    graphApiVersion: rules.graphApiVersion,
    needs: {
      etcd: rules.etcd,
      nats: rules.nats,
      ...(rules.minDriver === undefined ? {} : { minDriver: rules.minDriver }),
    },
    defaultNamespace: DEFAULT_NAMESPACE,
    ...(warning === undefined ? {} : { warning }),
  };
}

function rulesOf(semver: VersionNumbers): ReleaseRules | undefined {
  return RELEASE_RULES.findLast((rules) =>
    compareVersions(versionNumbers(rules.since), semver) <= 0
  );
}

function warningFor(
  tag: string,
  semver: VersionNumbers,
  rules: ReleaseRules,
  isBuild: boolean,
): string | undefined {
  const since = versionNumbers(rules.since);
  const known = since.major === semver.major && since.minor === semver.minor &&
    compareVersions(semver, versionNumbers(NEWEST_KNOWN)) <= 0;
  if (!known) {
    return `Dynamo ${tag} is not known to this version of dynamo-eks; the rules of ${rules.since} are used`;
  }
  if (!isBuild) return undefined;
  return `Dynamo ${tag} is a private build; charts and rules are those of ${
    [semver.major, semver.minor, semver.patch].join(".")
  }`;
}

function refused(source: Source, code: string, problem: string, hint: string): TaskError {
  const place = describePlace(source);
  const message = source.kind === "default" ? problem : `${place}: ${problem}`;
  return source.kind === "flag"
    ? usageError(code, message, hint)
    : preconditionError(code, message, hint);
}
