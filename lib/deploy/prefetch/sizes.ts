/**
 * How large a model is, by its name, and what its download asks for. Estimates. Pure.
 *
 * @module
 */
import { modelParameters, weightBits } from "../../graph/gpu_memory.ts";

/** Bytes of a model's weights; undefined when its name does not tell. */
export function modelBytes(model: string): number | undefined {
  const parameters = modelParameters(model);
  if (parameters === undefined) return undefined;
  return parameters.total * 1e9 * weightBits(model, { args: {} }).bits / 8;
}

const GIB = 2 ** 30;
// Python and its buffers.
const BASE_GIB = 1;
// What was written and is not on the volume yet counts as the pod's; the longer the download, the
// further the pod may run ahead of the volume.
const SHARE = 0.01;
const MOST_GIB = 8;
const UNKNOWN_GIB = 2;

/** Memory that the download's pod asks for, as a quantity. */
export function memoryRequest(bytes: number | undefined): string {
  const wanted = bytes === undefined ? UNKNOWN_GIB : BASE_GIB + bytes * SHARE / GIB;
  return `${Math.ceil(Math.min(MOST_GIB, wanted) * 4) * 256}Mi`;
}

const LEAST_CLAIM_GIB = 100;
// Two formats, or two revisions.
const CLAIM_FACTOR = 2.5;
const UNKNOWN_CLAIM_GIB = 500;

/** Size of a claim that is made for the model, as a quantity. EFS takes it as a name only. */
export function claimSize(bytes: number | undefined): string {
  if (bytes === undefined) return `${UNKNOWN_CLAIM_GIB}Gi`;
  return `${Math.max(LEAST_CLAIM_GIB, Math.ceil(bytes * CLAIM_FACTOR / GIB / 50) * 50)}Gi`;
}

// A tenth of what a node reaches, as hubs and volumes throttle; a node and its image on top.
const BYTES_A_SECOND = 20e6;
const AROUND_SECONDS = 1_800;
const LEAST_SECONDS = 3_600;
const UNKNOWN_SECONDS = 6 * 3_600;

/** Seconds after which a download is given up unless the user says. */
export function downloadSeconds(bytes: number | undefined): number {
  if (bytes === undefined) return UNKNOWN_SECONDS;
  const seconds = AROUND_SECONDS + bytes / BYTES_A_SECOND;
  return Math.max(LEAST_SECONDS, Math.ceil(seconds / 600) * 600);
}
