/**
 * For tests of `deploy`: the task inside this process, on an embedded cluster of the test's own,
 * with the moment at which each line was said; a proxy in front of the API server that lets
 * watches expire; a webhook that refuses.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { connectKube } from "../../lib/kube/client.ts";
import type { Kube } from "../../lib/kube/types.ts";
import { localLayout } from "../../lib/local/layout.ts";
import { selfSignedCertificate } from "../../lib/local/operator/convert/certificate.ts";
import { readAuthority } from "../../lib/local/serving_certificate.ts";
import { command } from "../../tasks/deploy.ts";
import { processesBelow } from "../support/processes.ts";
import { runTaskProcess } from "../support/task.ts";

/** Release of the drills: the newest, which has a conversion webhook and two API versions. */
export const VERSION = "v1.6.1";
/** Namespace of graphs and platform. */
export const NAMESPACE = "dynamo-cloud";
/** API version in which graphs are read. */
export const API = "nvidia.com/v1beta1";
/** A graph, but for its name. */
export const GRAPH = {
  apiVersion: API,
  kind: "DynamoGraphDeployment",
  namespace: NAMESPACE,
} as const;

/** How a deployment ended. */
export interface Deployed {
  readonly code: number;
  /** What was said, as text. */
  readonly talk: string;
  readonly data: string;
  /** Milliseconds of the monotonic clock. */
  readonly begun: number;
  readonly ended: number;
  /** When a line that matches was said first, on the same clock. */
  at(line: RegExp): number | undefined;
}

/** A running deployment. */
export interface Deploying {
  readonly done: Promise<Deployed>;
  /** Settled when a line that matches was said. */
  said(line: RegExp): Promise<void>;
}

/** An embedded cluster. */
export interface DrillCluster {
  readonly ctx: Context;
  readonly kube: Kube;
  readonly home: string;
  /** Starts `deno task deploy <words>`. */
  deploy(...words: string[]): Deploying;
}

const INSTALL_TIMEOUT_MS = 20 * 60_000;

/**
 * Runs `body` on a cluster that is installed before and removed after it; `DYNAMO_TEST_HOME` names
 * the state folder of one that is taken as it is and left.
 */
export async function withDrillCluster(
  body: (cluster: DrillCluster) => Promise<void>,
): Promise<void> {
  const lent = Deno.env.get("DYNAMO_TEST_HOME");
  await using test = await testContext(lent === undefined ? {} : { home: lent });
  const { ctx } = test;
  const { home } = ctx;
  const options = { home, env: { DYNAMO_VERSION: VERSION }, timeoutMs: INSTALL_TIMEOUT_MS };
  try {
    if (lent === undefined) {
      const installed = await runTaskProcess(["install", "--target", "local"], options);
      assert.equal(installed.code, 0, installed.stderr);
    }
    const kube = await connectKube(ctx, { kubeconfig: `${home}/kubeconfig` });
    try {
      await body({ ctx, kube, home, deploy: (...words) => startDeploy(home, words) });
    } finally {
      kube.close();
    }
  } finally {
    if (lent === undefined) {
      const cleaned = await runTaskProcess(["cleanup", "--all", "--yes"], options);
      assert.equal(cleaned.code, 0, cleaned.stderr);
      assert.deepEqual(await processesBelow(home), []);
    }
  }
}

function startDeploy(home: string, words: readonly string[]): Deploying {
  const lines: { readonly text: string; readonly at: number }[] = [];
  const waiting: { readonly line: RegExp; readonly resolve: () => void }[] = [];
  const note = (text: string) => {
    lines.push({ text, at: performance.now() });
    for (const one of waiting) if (one.line.test(text)) one.resolve();
  };
  const run = async (): Promise<Deployed> => {
    await using test = await testContext({ home, env: { DYNAMO_VERSION: VERSION } });
    const { talk } = test.heard;
    const push = talk.push.bind(talk);
    talk.push = (...texts) => {
      for (const text of texts) note(text);
      return push(...texts);
    };
    const begun = performance.now();
    const code = await runCommand(test.ctx, command, words);
    return {
      code,
      talk: talk.join("\n"),
      data: test.heard.data.join("\n"),
      begun,
      ended: performance.now(),
      at: (line) => lines.find(({ text }) => line.test(text))?.at,
    };
  };
  const done = run();
  return {
    done,
    said: async (line) => {
      if (lines.some(({ text }) => line.test(text))) return;
      const heard = new Promise<"said">((resolve) =>
        waiting.push({ line, resolve: () => resolve("said") })
      );
      const first = await Promise.race([heard, done]);
      if (first !== "said") throw new Error(`it never said ${line}:\n${first.talk}`);
    },
  };
}

/** A server between a client and the API server. */
export interface ExpiringProxy extends AsyncDisposable {
  /** Client whose calls go through it. */
  readonly kube: Kube;
  /** Watches that have been ended with 410. */
  readonly expired: number;
}

/**
 * Makes the first watch of each kind ask for a version that is long gone, as one that was away
 * for long: the API server itself says that it has expired (410). It must have been restarted
 * since the cluster began: it remembers all versions that it has seen.
 */
export async function expiringProxy(ctx: Context, home: string): Promise<ExpiringProxy> {
  const authority = (await readAuthority(ctx, `${localLayout(ctx).pki}/serving`))!;
  const text = await Deno.readTextFile(`${home}/kubeconfig`);
  const target = /server: ["']?(https:[^"'\s]+)/.exec(text)![1]!;
  const token = /token: ["']?([^"'\s]+)/.exec(text)![1]!;
  const client = Deno.createHttpClient({ caCerts: [authority], http2: false });
  const seen = new Set<string>();
  let expired = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const first = searchParams.get("watch") === "true" && !seen.has(pathname);
      if (first) {
        seen.add(pathname);
        searchParams.set("resourceVersion", "1");
      }
      const answer = await fetch(`${target}${pathname}?${searchParams}`, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        client,
      });
      if (!first) return answer;
      const body = answer.body?.pipeThrough(
        new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
          transform(part, to) {
            if (/"code":410\b/.test(new TextDecoder().decode(part))) expired++;
            to.enqueue(part);
          },
        }),
      );
      return new Response(body, { status: answer.status, headers: answer.headers });
    },
  );
  const kubeconfig = `${ctx.home}/expiring.kubeconfig`;
  await Deno.writeTextFile(
    kubeconfig,
    `apiVersion: v1
kind: Config
clusters: [{name: x, cluster: {server: "http://127.0.0.1:${server.addr.port}"}}]
users: [{name: x, user: {token: "${token}"}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
current-context: x
`,
    { mode: 0o600 },
  );
  const kube = await connectKube(ctx, { kubeconfig });
  return {
    kube,
    get expired() {
      return expired;
    },
    async [Symbol.asyncDispose]() {
      kube.close();
      await server.shutdown();
      client.close();
      await Deno.remove(kubeconfig);
    },
  };
}

/** A webhook that refuses the graph of one name; disposed, it is gone from the cluster. */
export async function refusingWebhook(
  ctx: Context,
  kube: Kube,
  graph: string,
): Promise<AsyncDisposable> {
  const { certificate, key } = await selfSignedCertificate(ctx.clock.now());
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: certificate, key, onListen() {} },
    async (request) => {
      const { request: { uid } } = await request.json();
      const status = { code: 403, message: "replicas of Frontend: must be odd on Sundays" };
      return Response.json({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: { uid, allowed: false, status },
      });
    },
  );
  const name = "deploy-drill";
  const url = `https://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const ref = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    name,
  };
  await kube.apply({
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name },
    webhooks: [{
      name: "vgraph.drill.example",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { url, caBundle: btoa(certificate) },
      rules: [{
        apiGroups: ["nvidia.com"],
        apiVersions: ["*"],
        operations: ["CREATE"],
        resources: ["dynamographdeployments"],
      }],
      matchConditions: [{ name: "only", expression: `object.metadata.name == "${graph}"` }],
    }],
  });
  return {
    async [Symbol.asyncDispose]() {
      await kube.delete(ref);
      await server.shutdown();
    },
  };
}

/** Waits until something holds, 30 s at most. */
export async function until(check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await check()) {
    assert.ok(performance.now() < end, "waited 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
