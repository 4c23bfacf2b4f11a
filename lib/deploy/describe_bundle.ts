/**
 * The support archive of a graph: objects, events, logs and versions, without secrets.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { exists } from "../cli/files.ts";
import { type TarFile, tarGzip } from "../cli/tar.ts";
import type { Kube } from "../kube/types.ts";
import { type DescribedGraph, readLogs } from "./describe.ts";
import { describeLines } from "./describe_text.ts";

/** Lines of each container's log. */
const LOG_LINES = 2_000;

/**
 * Refuses a file that is there.
 *
 * @throws {TaskError} FILE_EXISTS (exit code 2).
 */
export async function checkBundle(
  ctx: Pick<Context, "fs">,
  path: string,
  force: boolean,
): Promise<void> {
  if (force || !await exists(ctx, path)) return;
  throw usageError("FILE_EXISTS", `${path} is there already`, "Name another, or add --force.");
}

/** Writes the archive with mode 0600. */
export async function writeBundle(
  ctx: Context,
  kube: Kube,
  { described, path, force }: {
    readonly described: DescribedGraph;
    readonly path: string;
    readonly force: boolean;
  },
): Promise<void> {
  const { description, objects, clean } = described;
  const root = `${description.graph.name}-support`;
  const pods = objects.filter(({ kind }) => kind === "Pod");
  const logs = await readLogs(kube, pods, LOG_LINES);
  const yaml = (value: unknown) => stringify(value, { skipInvalid: true, lineWidth: -1 });
  const files: TarFile[] = [
    { path: "description.txt", text: `${describeLines(description, 100).join("\n")}\n` },
    { path: "description.json", text: `${JSON.stringify(description, null, 2)}\n` },
    {
      path: "versions.yaml",
      text: yaml({
        dynamo: description.target.release,
        kubernetes: description.target.kubernetes,
        operator: description.operator?.image ?? null,
        deno: Deno.version.deno,
        written: new Date(ctx.clock.now()).toISOString(),
      }),
    },
    { path: "events.yaml", text: yaml(description.events) },
    ...objects.filter(({ kind }) => kind !== "Secret").map((object) => ({
      path: `objects/${object.kind}/${object.metadata.name}.yaml`,
      text: yaml(object),
    })),
    ...logs.map(({ pod, container, previous, lines }) => ({
      path: `logs/${pod}/${container}${previous ? ".previous" : ""}.log`,
      text: lines.map((line) => `${clean.text(line)}\n`).join(""),
    })),
  ];
  const archive = await tarGzip(
    files.map((file) => ({ ...file, path: `${root}/${file.path}` })),
    ctx.clock.now(),
  );
  if (force) await ctx.fs.remove(path).catch(() => {});
  await ctx.fs.writeFile(path, archive, { mode: 0o600, createNew: true });
}
