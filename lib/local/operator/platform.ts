/**
 * The platform on the embedded cluster: its objects, applied, waited for, removed.
 *
 * @module
 */
export { type CrdSource, describeCrdSource } from "./crds/source.ts";
export { type AppliedPlatform, applyPlatform, type PlatformOptions } from "./platform_apply.ts";
export { deletePlatform, type DeletePlatformOptions } from "./platform_delete.ts";
export { platformObjects } from "./platform_objects.ts";
export { waitPlatform, type WaitPlatformOptions } from "./platform_wait.ts";
