/**
 * Which cluster's leftovers are meant, and that AWS's account is the one that they are in.
 *
 * @module
 */
import { type AwsIdentity, type AwsSession, identity, openAws } from "../aws/session.ts";
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { blueprintFlags } from "../blueprint/flags.ts";
import { describeSource } from "../blueprint/source.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import { recallTarget } from "../target/target.ts";
import { readStackNote } from "../terraform/backend.ts";

/** What the command line says. */
export interface PlaceChoice {
  /** `--cluster` */
  readonly cluster?: string | undefined;
  /** `--region` */
  readonly region?: string | undefined;
  /** `--profile` */
  readonly profile?: string | undefined;
}

/** Where a cluster is or was. */
export interface AwsPlace {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Region. */
  readonly region: string;
  /** Account that was remembered; undefined when nothing was. */
  readonly account: string | undefined;
  /** Profile that was remembered or asked for. */
  readonly profile: string | undefined;
  /** Where this is known from. */
  readonly from: string;
}

/** Whether the place is that of the cluster. */
export function isPlaceOf(
  place: Pick<AwsPlace, "cluster" | "region">,
  { name, region }: { readonly name: string; readonly region: string },
): boolean {
  return place.cluster === name && place.region === region;
}

/** A session in the place, as whom, and where. */
export interface OpenPlace {
  /** AWS. */
  readonly aws: AwsSession;
  /** Who we are there. */
  readonly who: AwsIdentity;
  /** The place. */
  readonly place: AwsPlace;
}

/**
 * The cluster that the command line names, else the one that was installed, else the blueprint's.
 *
 * @throws {TaskError} PLACE_SEVERAL when several were installed and none is named; PLACE_REGION
 * when the one that is named was installed in another region.
 */
export async function choosePlace(ctx: Context, choice: PlaceChoice): Promise<AwsPlace> {
  const known = (await rememberedPlaces(ctx)).filter((one) =>
    choice.cluster === undefined || one.cluster === choice.cluster
  );
  const here = known.filter((one) => choice.region === undefined || one.region === choice.region);
  if (here.length > 1) {
    const names = here.map((one) => `${one.cluster} in ${one.region}`).join(", ");
    throw usageError(
      "PLACE_SEVERAL",
      `Several clusters were installed from here: ${names}`,
      "Say which: --cluster NAME --region REGION.",
    );
  }
  const [found] = here;
  if (found !== undefined) return { ...found, profile: choice.profile ?? found.profile };
  const [elsewhere] = known;
  if (elsewhere !== undefined) {
    throw preconditionError(
      "PLACE_REGION",
      `--region is ${choice.region}; ${elsewhere.cluster} was installed in ${elsewhere.region} ` +
        `(${elsewhere.from})`,
      "Leave --region out, or run it where that cluster was installed from.",
    );
  }
  const flags = blueprintFlags({ name: choice.cluster, region: choice.region });
  const { name, region } = await loadBlueprint(ctx, { flags });
  return {
    cluster: name.value,
    region: region.value,
    account: undefined,
    profile: choice.profile,
    from: `name ${describeSource(name.source)}, region ${describeSource(region.source)}`,
  };
}

/**
 * Makes sure that what is installed is the cluster that the command line names, for levels that
 * work on the remembered target.
 *
 * @throws {TaskError} PLACE_OTHER_TARGET (exit code 3) when it is another one; nothing was touched.
 */
export async function requireNamedTarget(ctx: Context, choice: PlaceChoice): Promise<void> {
  const { cluster, region } = choice;
  const target = await recallTarget(ctx);
  if (target === undefined || (cluster === undefined && region === undefined)) return;
  const is = target.cluster;
  const fits = is !== undefined && (cluster === undefined || cluster === is.name) &&
    (region === undefined || region === is.region);
  if (fits) return;
  const asked = [cluster && `--cluster ${cluster}`, region && `--region ${region}`]
    .filter(Boolean).join(" ");
  const what = is === undefined ? `target ${target.kind}` : `${is.name} in ${is.region}`;
  throw preconditionError(
    "PLACE_OTHER_TARGET",
    `${asked} was asked for, but what is installed is ${what}`,
    "Leave it out to work on what is installed, or install that cluster first. Nothing was touched.",
  );
}

/**
 * Opens AWS in a place.
 *
 * @throws {TaskError} PLACE_ACCOUNT (exit code 3) when the credentials are of another account
 * than the one that was remembered; nothing was touched.
 */
export async function openPlace(ctx: Context, place: AwsPlace): Promise<OpenPlace> {
  const aws = await openAws(ctx, { region: place.region, profile: place.profile });
  const who = await identity(aws);
  if (place.account !== undefined && place.account !== who.account) {
    throw preconditionError(
      "PLACE_ACCOUNT",
      `${place.cluster} is in account ${place.account} (${place.from}); the credentials are of ` +
        `account ${who.account} (${who.arn})`,
      "Log in to that account, or choose it with --profile. Nothing was touched.",
    );
  }
  return { aws, who, place };
}

/** The target, and what terraform's work folders say. */
async function rememberedPlaces(ctx: Context): Promise<AwsPlace[]> {
  const places = new Map<string, AwsPlace>();
  const add = (place: AwsPlace) => {
    const key = `${place.region}/${place.cluster}`;
    if (!places.has(key)) places.set(key, place);
  };
  const { cluster } = await recallTarget(ctx) ?? {};
  if (cluster !== undefined) {
    const { name, region, account, profile } = cluster;
    add({ cluster: name, region, account, profile, from: "the remembered target" });
  }
  for (const folder of await workFolders(ctx)) {
    const note = await readStackNote(ctx, folder);
    if (note === undefined) continue;
    const { name, region, account } = note;
    add({ cluster: name, region, account, profile: undefined, from: `${folder}/stack.json` });
  }
  return [...places.values()];
}

async function workFolders(ctx: Context): Promise<string[]> {
  const parent = `${ctx.home}/terraform`;
  const folders: string[] = [];
  try {
    for await (const entry of ctx.fs.readDir(parent)) {
      if (entry.isDirectory) folders.push(`${parent}/${entry.name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return folders.sort();
}
