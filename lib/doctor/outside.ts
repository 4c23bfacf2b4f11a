/**
 * What lies outside of AWS and the cluster: NVIDIA's charts, Hugging Face.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { type ChartSource, chartSource, NGC_REPOSITORY } from "../helm/chart_source.ts";
import { type ChartRef, fetchChart } from "../helm/charts.ts";
import { findHelm } from "../helm/program.ts";
import { platformCharts } from "../platform/charts.ts";
import { hfToken } from "../platform/secrets.ts";
import { type Check, fail, type Finding, ok, type Patient, skipped, warn } from "./types.ts";

/** The charts of the release, where they are to come from. */
export const chartCheck: Check = {
  id: "platform-chart",
  title: "Dynamo's charts",
  targets: ["eks", "context"],
  quick: true,
  deadlineMs: 60_000,
  async run({ ctx, release, namespace, chartRepository }) {
    const source = chartSource(ctx, chartRepository);
    return await Promise.all(
      platformCharts(release, namespace).map((chart) =>
        chartRepository === undefined ? publicChart(ctx, chart) : otherChart(ctx, source, chart)
      ),
    );
  },
};

/** NVIDIA's own repository is asked for the very file, without loading it. */
async function publicChart(ctx: Context, { name, version }: ChartRef): Promise<Finding> {
  const what = `Chart ${name} ${version}`;
  let status: number;
  try {
    const answer = await ctx.net.fetch(`${NGC_REPOSITORY}/charts/${name}-${version}.tgz`, {
      method: "HEAD",
      signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(15_000)]),
    });
    await answer.body?.cancel();
    status = answer.status;
  } catch (error) {
    const proxy = ctx.env.get("HTTPS_PROXY") ?? ctx.env.get("https_proxy");
    const through = proxy === undefined ? "" : " (through HTTPS_PROXY)";
    return warn(
      `${NGC_REPOSITORY} cannot be reached from here${through}: ${short(error)}`,
      "Set HTTPS_PROXY, allow that host, or name a mirror with --chart-repository. With Argo CD " +
        "the cluster fetches the chart, so it must reach the host too.",
      what,
    );
  }
  if (status < 300) return ok("NVIDIA has it", what);
  if (status === 404) {
    return fail(
      "NVIDIA has no such chart",
      "Choose a published Dynamo version with DYNAMO_VERSION or dynamo_stack_version.",
      what,
    );
  }
  return warn(`${NGC_REPOSITORY} answers with status ${status}`, "Try again later.", what);
}

/** Another source is asked as an install asks it. */
async function otherChart(ctx: Context, source: ChartSource, ref: ChartRef): Promise<Finding> {
  const what = `Chart ${ref.name} ${ref.version}`;
  try {
    const { from } = await fetchChart(ctx, source, ref, () => findHelm(ctx));
    return ok(`${from} has it`, what);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    return fail(error.message, error.hint ?? "", what);
  }
}

/** The token that models are downloaded with. */
export const hfTokenCheck: Check = {
  id: "hf-token",
  title: "Hugging Face token",
  targets: ["eks", "context"],
  quick: true,
  deadlineMs: 20_000,
  async run(patient) {
    const token = hfToken(patient.ctx);
    if (token === undefined) {
      return warn(
        "HF_TOKEN is not set: gated models cannot be downloaded, others slowly",
        "Set HF_TOKEN, or have a Secret hf-token-secret in the namespace.",
      );
    }
    if (!patient.online) return ok("has the form of a token (--online asks Hugging Face)");
    return await askHuggingFace(patient, token);
  },
};

async function askHuggingFace({ ctx }: Patient, token: string): Promise<Finding> {
  const base = ctx.env.get("HF_ENDPOINT")?.replace(/\/+$/, "") ?? "https://huggingface.co";
  let answer: Response;
  try {
    answer = await ctx.net.fetch(`${base}/api/whoami-v2`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(15_000)]),
    });
  } catch (error) {
    return warn(
      `${base} cannot be reached from here: ${short(error)}`,
      "Set HTTPS_PROXY, or allow that host. Nodes download models from it.",
    );
  }
  if (answer.status === 401 || answer.status === 403) {
    await answer.body?.cancel();
    return fail("Hugging Face does not know it", "Make a new token and set HF_TOKEN.");
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    return warn(`${base} answers with status ${answer.status}`, "Try again later.");
  }
  const { name } = await answer.json().catch(() => ({}));
  return ok(`valid, of ${typeof name === "string" ? name : "an unnamed account"}`);
}

function short(error: unknown): string {
  return messageOf(error).split("\n")[0]!.replace(/ for url \(.*/, "").slice(0, 160);
}

/** Proxies, which confuse those who forget that they are set. */
export const proxyCheck: Check = {
  id: "proxy",
  title: "Proxy",
  targets: ["eks", "context"],
  quick: false,
  deadlineMs: 5_000,
  run({ ctx }) {
    const value = ctx.env.get("HTTPS_PROXY") ?? ctx.env.get("https_proxy");
    if (value === undefined) return Promise.resolve(skipped("HTTPS_PROXY is not set"));
    const url = URL.parse(value);
    return Promise.resolve(
      url === null
        ? fail("HTTPS_PROXY is not a URL", "Write it like http://proxy.example.com:3128.")
        // Its user and password stay out of the report.
        : ok(`${url.protocol}//${url.host}; NO_PROXY is ${ctx.env.get("NO_PROXY") ?? "not set"}`),
    );
  },
};
