/**
 * Where the volumes of a container are on this machine: below the container's own folder, or, when
 * they outlive their pod, in a folder of theirs. Pure.
 *
 * @module
 */
import type { Mount } from "./local_command.ts";

/** A path inside the container as one of this machine; other text stays as it is. */
export function localPath(text: string, mounts: readonly Mount[], scratch: string): string {
  const mount = mounts.find(({ path }) => text === path || text.startsWith(`${path}/`));
  if (mount === undefined) return text;
  return mount.folder === undefined
    ? `${scratch}${text}`
    : `${mount.folder}${text.slice(mount.path.length)}`;
}

/** Whether a path inside the container is a file that its pod brings along. */
export function isBrought(path: string, mounts: readonly Mount[]): boolean {
  return mounts.some((mount) =>
    path.startsWith(`${mount.path}/`) &&
    mount.files[path.slice(mount.path.length + 1)] !== undefined
  );
}

/** Files and folders that have to be made below the container's own folder. */
export function scratchContent(
  mounts: readonly Mount[],
): { readonly files: Record<string, Uint8Array>; readonly folders: string[] } {
  const own = mounts.filter(({ folder }) => folder === undefined);
  const files = own.flatMap((mount) =>
    Object.entries(mount.files).map(([path, data]): [string, Uint8Array] => [
      `${mount.path.slice(1)}/${path}`,
      data,
    ])
  );
  const folders = [
    ...own.map(({ path }) => path.slice(1)),
    ...files.map(([path]) => path.slice(0, path.lastIndexOf("/"))),
  ];
  return { files: Object.fromEntries(files), folders: [...new Set(folders)] };
}
