/**
 * Which Python packages of Dynamo stand for which release.
 *
 * @module
 */
import { atLeast, type Release } from "../../blueprint/types.ts";

/** Versions of Dynamo's Python packages that the embedded cluster can run. */
export type RuntimeVersion = "0.4.1" | "1.6.1";

/** Versions of CPython, as `major.minor`, in the order in which they are looked for. */
export type PythonVersion = "3.12" | "3.11" | "3.13" | "3.10" | "3.14";

/** What a runtime needs of the machine. */
export interface RuntimeNeeds {
  /** CPython versions that wheels exist for. */
  readonly pythons: readonly PythonVersion[];
  /** Processor architectures that wheels exist for, as `Deno.build.arch` names them. */
  readonly archs: readonly string[];
  /** Bytes of the virtual environment, and of what is downloaded for it. */
  readonly bytes: number;
  /** Wheels to download. */
  readonly packages: number;
}

/** Needs of each runtime; the wheels were looked up on the Python package index. */
export const RUNTIME_NEEDS: Readonly<Record<RuntimeVersion, RuntimeNeeds>> = {
  "0.4.1": {
    pythons: ["3.12", "3.11", "3.10"],
    archs: ["x86_64"],
    bytes: 150e6,
    packages: 17,
  },
  "1.6.1": {
    pythons: ["3.12", "3.11", "3.13", "3.10", "3.14"],
    archs: ["x86_64", "aarch64"],
    bytes: 400e6,
    packages: 19,
  },
};

/**
 * The runtime that stands for a release on the embedded cluster: the very one, or the one
 * of the same age. Releases before 0.8 find each other through etcd and NATS, later ones do not.
 */
export function runtimeFor(
  release: Pick<Release, "version" | "semver">,
): { readonly dynamoVersion: RuntimeVersion; readonly exact: boolean } {
  const dynamoVersion = atLeast(release as Release, 0, 8) ? "1.6.1" : "0.4.1";
  return { dynamoVersion, exact: release.version === dynamoVersion };
}
