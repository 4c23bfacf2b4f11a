/**
 * What tests of installs on EKS need: terraform offline, AWS as moto behind a front, an EKS
 * endpoint on a real control plane, a chart repository, and a task process with planted secrets.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import type { Kube } from "../../lib/kube/types.ts";
import { readyPods } from "../integration/ready_pods.ts";
import { withCluster } from "../integration/cluster.ts";
import { type AwsAnswer, type AwsFront, startAwsFront } from "../support/aws_front.ts";
import { type ChartRepository, serveCharts } from "../support/charts.ts";
import { describeCluster, type EksEndpoint, startEksEndpoint } from "../support/eks_endpoint.ts";
import { helmPath } from "../support/kubectl.ts";
import { type Moto, withMoto } from "../support/moto.ts";
import { offlineTerraform } from "../support/offline_terraform.ts";
import { runTaskProcess, type TaskProcessOptions, type TaskResult } from "../support/task.ts";

/** Values that must not turn up in anything that is written or said. */
export const PLANTED = {
  HF_TOKEN: "hf_plantedTokenOfTheInstall01",
  NGC_API_KEY: "nvapi-plantedKeyOfTheInstall01",
  AWS_SECRET_ACCESS_KEY: "planted-aws-secret-of-the-install",
  AWS_SESSION_TOKEN: "planted-aws-session-of-the-install",
} as const;

/** Name of the cluster in the blueprint. */
export const NAME = "dynamo-on-eks";
/** Namespace that terraform's configuration puts Prometheus in. */
const MONITORING = "kube-prometheus-stack";

/** What a test gets. */
export interface EksTest {
  /** Context whose home is that of the tasks. */
  readonly ctx: Context;
  /** moto. */
  readonly moto: Moto;
  /** The front of AWS. */
  readonly front: AwsFront;
  /** Answers of the front, which a test may change at any time. */
  readonly answers: Record<string, AwsAnswer>;
  /** The cluster's API server as EKS gives it. */
  readonly endpoint: EksEndpoint;
  /** Client of the control plane behind it. */
  readonly kube: Kube;
  /** Kubeconfig of the control plane itself. */
  readonly kubeconfig: string;
  /** The charts. */
  readonly repository: ChartRepository;
  /** terraform's work folder. */
  readonly folder: string;
  /** Runs a task. */
  readonly task: (
    words: readonly string[],
    options?: Partial<TaskProcessOptions>,
  ) => Promise<TaskResult>;
  /** Runs `install --target eks --yes` with these words more. */
  readonly install: (
    words?: readonly string[],
    options?: Partial<TaskProcessOptions>,
  ) => Promise<TaskResult>;
  /** Addresses in terraform's state. */
  readonly state: () => Promise<string[]>;
}

/** Runs `body`, or prints SKIPPED. Each control plane bears one platform, so each test names its own. */
export async function withEks(
  name: string,
  body: (test: EksTest) => Promise<void>,
): Promise<void> {
  await using terraform = await offlineTerraform();
  if (terraform === undefined) return;
  const { path, kept } = terraform;
  await withMoto((moto) =>
    withCluster(async ({ ctx: base, kube, cluster }) => {
      const helm = await helmPath(base);
      if (typeof helm !== "string") {
        // deno-lint-ignore no-console -- a test that cannot run says so
        console.log(`SKIPPED: no helm on this machine: ${helm.reason}`);
        return;
      }
      await using made = await testContext();
      const { ctx } = made;
      await using repository = await serveCharts(base, helm, [
        ["dynamo-platform", "0.4.1"],
        ["dynamo-crds", "0.4.1"],
      ]);
      const folder = `${ctx.home}/terraform/us-west-2-${NAME}`;
      await using endpoint = await startEksEndpoint(ctx, {
        cluster,
        name: NAME,
        secret: PLANTED.AWS_SECRET_ACCESS_KEY,
        sts: () => front.url,
      });
      const answers: Record<string, AwsAnswer> = {
        [`eks:GET /clusters/${NAME}`]: describeCluster(() =>
          stateText(folder).includes('"cluster_name"') ? { name: NAME, endpoint } : undefined
        ),
      };
      const front = startAwsFront({ behind: moto.url, answers });
      const stop = new AbortController();
      await plantMonitoring(kube);
      const kubelet = [MONITORING, "dynamo-cloud"].map((namespace) =>
        readyPods(kube, namespace, stop.signal)
      );
      const task: EksTest["task"] = async (words, options = {}) => {
        const result = await runTaskProcess(words, {
          home: ctx.home,
          timeoutMs: 600_000,
          ...options,
          env: {
            ...moto.env,
            AWS_ENDPOINT_URL: front.url,
            ...PLANTED,
            DYNAMO_TERRAFORM: path,
            DYNAMO_HELM: helm,
            HTTPS_PROXY: "http://127.0.0.1:9",
            ...options.env,
          },
        });
        requireNoSecret(`output of ${words.join(" ")}`, result.stdout + result.stderr);
        return result;
      };
      try {
        await body({
          ctx,
          moto,
          front,
          answers,
          endpoint,
          kube,
          kubeconfig: cluster.layout.kubeconfig,
          repository,
          folder,
          task,
          install: (words = [], options = {}) =>
            task(
              [
                "install",
                "--target",
                "eks",
                "--yes",
                "--chart-repository",
                repository.url,
                ...words,
              ],
              options,
            ),
          state: () => Promise.resolve(addresses(stateText(folder))),
        });
        await requireNoSecretBelow(ctx.home);
        await requireNoSecretBelow(kept);
        const variables = await Deno.readTextFile(`${kept}/variables`).catch(() => "");
        assert.doesNotMatch(variables, /^(HF_TOKEN|NGC_API_KEY)$/m);
      } finally {
        stop.abort();
        await Promise.all(kubelet);
        await front[Symbol.asyncDispose]();
      }
    }, { name })
  );
}

function stateText(folder: string): string {
  try {
    return Deno.readTextFileSync(`${folder}/terraform.tfstate`);
  } catch {
    return "";
  }
}

function addresses(state: string): string[] {
  if (state === "") return [];
  const { resources } = JSON.parse(state) as {
    resources: { module?: string; type: string; name: string }[];
  };
  return resources.map(({ module, type, name }) => [module, type, name].filter(Boolean).join("."));
}

/** What terraform's charts would bring, were the providers real. */
async function plantMonitoring(kube: Kube): Promise<void> {
  const labels = { app: "prometheus" };
  await kube.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: MONITORING },
  });
  await kube.apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "prometheus", namespace: MONITORING },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } },
    },
  });
}

/** Fails when a planted secret is in the text. */
export function requireNoSecret(where: string, text: string): void {
  for (const [name, secret] of Object.entries(PLANTED)) {
    assert.ok(!text.includes(secret), `${name} is in ${where}`);
    assert.ok(!text.includes(btoa(secret)), `${name} is in ${where}, in base64`);
  }
  assert.ok(!/k8s-aws-v1\.[\w-]{20}/.test(text), `a token is in ${where}`);
}

/** Fails when a file below the folder holds a planted secret (plans are zip files: they are unpacked). */
export async function requireNoSecretBelow(folder: string): Promise<number> {
  let files = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    // Programs of ours and terraform's modules; nothing is written there at run time.
    if (isDirectory && name !== ".terraform") files += await requireNoSecretBelow(path);
    if (!isFile) continue;
    files++;
    const text = name.endsWith(".tfplan")
      ? new TextDecoder("latin1").decode(
        (await new Deno.Command("unzip", { args: ["-p", path] }).output()).stdout,
      )
      : new TextDecoder("latin1").decode(await Deno.readFile(path));
    requireNoSecret(path, text);
  }
  return files;
}
