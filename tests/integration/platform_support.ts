/**
 * What tests of the platform need: a control plane of their own (a cluster bears one operator),
 * real helm, a chart repository, the operator's and the kubelet's part, and a context that
 * remembers every argument and every file.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { withContext } from "../../lib/cli/context.ts";
import { planToJson, runPlan } from "../../lib/cli/plan.ts";
import type { Step } from "../../lib/cli/plan.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { isCode } from "../../lib/kube/objects.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { planPlatform } from "../../lib/platform/install.ts";
import type { PlatformOptions } from "../../lib/platform/options.ts";
import { platformRemovalSteps } from "../../lib/platform/remove.ts";
import { type ChartRepository, serveCharts } from "../support/charts.ts";
import { helmPath } from "../support/kubectl.ts";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { type ArgoCdPart, startArgoCd } from "./argocd_controller.ts";
import { withCluster } from "./cluster.ts";
import { readyPods } from "./ready_pods.ts";

/** Values that must not turn up in anything written. */
export const PLANTED = {
  HF_TOKEN: "hf_plantedToken0123456789",
  NGC_API_KEY: "nvapi-plantedKey0123456789",
  CHART_REPOSITORY_USERNAME: "mirror",
  CHART_REPOSITORY_PASSWORD: "planted-Password-0123",
} as const;

/** What a test of the platform gets. */
export interface PlatformCluster {
  /** Context of the test, with {@link PLANTED} in its environment. */
  readonly ctx: Context;
  /** Client with all rights. */
  readonly kube: Kube;
  /** Path of helm. */
  readonly helm: string;
  /** Kubeconfig of the cluster. */
  readonly kubeconfig: string;
  /** Namespace that does not exist yet. */
  readonly namespace: string;
  /** The charts. */
  readonly repository: ChartRepository;
  /** All that was said, run and written, as one text. */
  readonly written: () => string;
  /** Options of `planPlatform` for a version. */
  readonly options: (version: string, more?: Partial<PlatformOptions>) => PlatformOptions;
  /** Plans and runs; returns what the steps said, by their ids. */
  readonly install: (
    version: string,
    more?: Partial<PlatformOptions>,
  ) => Promise<Record<string, string>>;
  /** Argo CD's part, where the test asked for it. */
  readonly argocd: ArgoCdPart | undefined;
  /** Removes the platform. */
  readonly remove: (more?: { definitions?: boolean }) => Promise<Record<string, string>>;
}

const VERSIONS = ["0.4.1", "0.9.1", "1.2.0", "1.4.2"];

/** Runs `body` on the cluster of the platform's tests; removes what it left. */
export async function withPlatformCluster(
  body: (cluster: PlatformCluster) => Promise<void>,
  more: { readonly argocd?: boolean } = {},
): Promise<void> {
  await withCluster(async ({ ctx: base, kube, cluster, namespace: test }) => {
    const helm = await helmPath(base);
    if (typeof helm !== "string") {
      // deno-lint-ignore no-console -- a test that cannot run says so
      console.log(`SKIPPED: no helm on this machine: ${helm.reason}`);
      return;
    }
    const namespace = `${test}-platform`;
    await using repository = await serveCharts(
      base,
      helm,
      VERSIONS.flatMap((version) => [["dynamo-platform", version], ["dynamo-crds", version]]),
    );
    await using made = await testContext({ env: { DYNAMO_HELM: helm, ...PLANTED } });
    const { ctx, journal } = recording(withContext(made.ctx, { cache: `${made.ctx.home}/cache` }));
    const stop = new AbortController();
    const parts = [
      readyPods(kube, namespace, stop.signal),
      operatorPart(kube, namespace, stop.signal),
    ];
    const kubeconfig = cluster.layout.kubeconfig;
    const argocd = more.argocd === true
      ? await startArgoCd(base, kube, kubeconfig, helm)
      : undefined;
    const target = { kubeconfig };
    const options = (version: string, more: Partial<PlatformOptions> = {}): PlatformOptions => ({
      kube,
      target,
      release: resolveRelease(version),
      namespace,
      chartRepository: repository.url,
      timeoutMs: 20_000,
      ...more,
    });
    const run = async (steps: readonly Step[], warnings: readonly string[] = []) => {
      const plan = { task: "test", facts: {}, warnings, steps };
      journal.push(JSON.stringify(planToJson(plan)));
      const said: Record<string, string> = {};
      const noted = steps.map((step): Step => ({
        ...step,
        async run(inner, ui) {
          said[step.id] = await step.run(inner, ui) ?? "done";
        },
      }));
      for (const step of steps) {
        if (step.skip !== undefined) said[step.id] = `skipped: ${step.skip}`;
      }
      await runPlan(ctx, { ...plan, steps: noted });
      return said;
    };
    const remove = async (more: { definitions?: boolean } = {}) =>
      await run(
        await platformRemovalSteps(ctx, { kube, target, namespace, timeoutMs: 30_000, ...more }),
      );
    try {
      if (argocd !== undefined && "reason" in argocd) {
        // deno-lint-ignore no-console -- a test that cannot run says so
        console.log(`SKIPPED: no definition of Argo CD's Application: ${argocd.reason}`);
        return;
      }
      await body({
        argocd,
        ctx,
        kube,
        helm,
        kubeconfig,
        namespace,
        repository,
        options,
        remove,
        written: () => [...journal, ...made.heard.talk, ...made.heard.data].join("\n"),
        install: async (version, more) => {
          const { steps, warnings } = await planPlatform(ctx, options(version, more));
          return await run(steps, warnings);
        },
      });
    } finally {
      await remove();
      stop.abort();
      await Promise.all(parts);
      if (argocd !== undefined && "stop" in argocd) await argocd.stop();
    }
  }, { name: "platform" });
}

/** A context that writes down arguments, environments of children, and files. */
function recording(ctx: Context): { ctx: Context; journal: string[] } {
  const journal: string[] = [];
  const note = (path: unknown, content: unknown) => {
    const text = content instanceof Uint8Array ? new TextDecoder().decode(content) : content;
    journal.push(`${path}: ${text}`);
  };
  return {
    journal,
    ctx: withContext(ctx, {
      processes: {
        ...ctx.processes,
        run: (command, args, options) => {
          journal.push(`${command} ${args.join(" ")} ${JSON.stringify(options?.env ?? {})}`);
          return ctx.processes.run(command, args, options);
        },
      },
      fs: {
        ...fileCalls(ctx),
        writeFile: (path, data, options) => {
          note(path, data);
          return ctx.fs.writeFile(path, data, options);
        },
        writeTextFile: (path, data, options) => {
          note(path, data);
          return ctx.fs.writeTextFile(path, data, options);
        },
      },
    }),
  };
}

// The object of all files' calls is Deno itself, which cannot be spread.
function fileCalls({ fs }: Context): Context["fs"] {
  const { chmod, copyFile, lstat, makeTempDir, mkdir, open, readDir, readFile } = fs;
  const { readLink, readTextFile, realPath, remove, rename, stat, symlink } = fs;
  const { writeFile, writeTextFile } = fs;
  return {
    ...{ chmod, copyFile, lstat, makeTempDir, mkdir, open, readDir, readFile, readLink },
    ...{ readTextFile, realPath, remove, rename, stat, symlink, writeFile, writeTextFile },
  };
}

const GRAPHS = { DynamoGraphDeployment: "dynamographdeployments" } as const;
const COMPONENTS = { DynamoComponentDeployment: "dynamocomponentdeployments" } as const;

/** What the operator does from 1.0 on before anything else: applies the definitions. */
async function operatorPart(kube: Kube, namespace: string, signal: AbortSignal): Promise<void> {
  const kind = { apiVersion: "apps/v1", kind: "Deployment" } as const;
  for await (const event of kube.watch(kind, { namespace, signal })) {
    if (event.type === "DELETED") continue;
    for (const deployment of event.type === "SYNC" ? event.items : [event.object]) {
      const image: string = deployment["spec"].template.spec.containers[0].image;
      const version = image.split(":").at(-1)!;
      if (!version.startsWith("1.")) continue;
      const names = Object.entries({ ...GRAPHS, ...COMPONENTS });
      for (const [name, plural] of names) await kube.apply(definition(name, plural, version));
    }
  }
}

function definition(kind: string, plural: string, version: string): KubeObject {
  const versions = ["v1alpha1", ...(version === "1.2.0" || version === "1.4.2" ? ["v1beta1"] : [])];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.nvidia.com` },
    spec: {
      group: "nvidia.com",
      scope: "Namespaced",
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: versions.map((name) => ({
        name,
        served: true,
        storage: name === "v1alpha1",
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      })),
    },
  };
}

/** A graph that nobody acts on. */
export async function plantGraph(kube: Kube, namespace: string): Promise<KubeObject> {
  const graph = {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "planted", namespace },
    spec: { services: {} },
  };
  await kube.apply(graph).catch((error) => {
    if (!isCode(error, "KUBE_KIND_UNKNOWN")) throw error;
    return kube.apply(graph);
  });
  return graph;
}
