import assert from "node:assert/strict";
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { releaseOf } from "../blueprint/flags.ts";
import { type Context, withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import { runChecks } from "./run.ts";
import { helmCheck, kubectlCheck, terraformCheck } from "./tools.ts";
import { chartCheck, hfTokenCheck, proxyCheck } from "./outside.ts";
import type { Check, Line, Patient } from "./types.ts";

/** Looks with one check on a machine with these programs, variables and sites. */
async function look(
  check: Check,
  machine: {
    readonly programs?: Readonly<Record<string, string>>;
    readonly env?: Record<string, string>;
    readonly fetch?: (url: string, init?: RequestInit) => Promise<Response>;
    readonly kind?: Patient["kind"];
    readonly online?: boolean;
    readonly version?: string;
    readonly chartRepository?: string;
  } = {},
): Promise<Line[]> {
  await using made = await testContext({ env: machine.env ?? {} });
  const ctx: Context = withContext(made.ctx, {
    processes: {
      ...made.ctx.processes,
      which: (program) =>
        Promise.resolve(machine.programs?.[program] === undefined ? undefined : program),
      run: (command) => {
        const stdout = machine.programs?.[command];
        if (stdout === undefined) return Promise.reject(new Deno.errors.NotFound(command));
        return Promise.resolve({ code: 0, stdout, stderr: "" });
      },
    },
    net: {
      ...made.ctx.net,
      fetch: ((url: string, init?: RequestInit) =>
        machine.fetch?.(url, init) ?? Promise.reject(new TypeError("no network"))) as typeof fetch,
    },
  });
  const blueprint = await loadBlueprint(ctx, {
    flags: { "dynamo-version": machine.version ?? "v1.6.1" },
  });
  const patient = {
    kind: machine.kind ?? "eks",
    blueprint,
    release: releaseOf(blueprint),
    namespace: "dynamo",
    online: machine.online ?? false,
    chartRepository: machine.chartRepository,
  } as Patient;
  return await runChecks(ctx, patient, [check]);
}

const statuses = (lines: Line[]) => lines.map(({ status }) => status);

Deno.test("terraform or tofu will do, when new enough", async () => {
  const see = async (programs: Record<string, string>) => {
    const [line] = await look(terraformCheck, { programs });
    return [line!.status, line!.why];
  };
  assert.deepEqual(await see({ terraform: "Terraform v1.11.4\non linux_amd64" }), [
    "ok",
    "terraform 1.11.4 (terraform)",
  ]);
  assert.deepEqual(await see({ terraform: "Terraform v1.5.7", tofu: "OpenTofu v1.9.0" }), [
    "ok",
    "tofu 1.9.0 (tofu)",
  ]);
  assert.deepEqual(await see({ terraform: "a shim that says nothing", tofu: "OpenTofu v1.10.1" }), [
    "ok",
    "tofu 1.10.1 (tofu)",
  ]);
  assert.deepEqual(await see({ terraform: "Terraform v1.5.7" }), [
    "fail",
    "terraform is terraform 1.5.7, which is too old",
  ]);
  assert.deepEqual(await see({}), ["fail", "Neither terraform nor tofu is on the PATH"]);
  assert.deepEqual(await see({ terraform: "a shim that says nothing" }), [
    "fail",
    "terraform does not tell its version",
  ]);
});

Deno.test("Helm is needed where Argo CD does not do its work", async () => {
  const helm = { helm: "v3.17.1+g980d8ac" };
  assert.deepEqual(statuses(await look(helmCheck, { programs: helm })), ["ok"]);
  assert.deepEqual(statuses(await look(helmCheck)), ["warn"]);
  assert.deepEqual(statuses(await look(helmCheck, { kind: "context" })), ["fail"]);
  const old = await look(helmCheck, { programs: { helm: "v3.8.0" }, kind: "context" });
  assert.deepEqual(statuses(old), ["fail"]);
  assert.deepEqual(statuses(await look(kubectlCheck)), ["ok"]);
});

Deno.test("charts: there, not there, out of reach", async () => {
  const asked: string[] = [];
  const answer = (status: number) => (url: string, init?: RequestInit) => {
    asked.push(`${init?.method} ${url}`);
    return Promise.resolve(new Response(null, { status }));
  };
  assert.deepEqual(statuses(await look(chartCheck, { fetch: answer(200) })), ["ok"]);
  assert.match(
    asked[0]!,
    /^HEAD https:\/\/helm\.ngc\.nvidia\.com\/.*\/dynamo-platform-1\.6\.1\.tgz$/,
  );
  const old = await look(chartCheck, { fetch: answer(404), version: "0.4.1" });
  assert.deepEqual(old.map(({ what, status }) => [what, status]), [
    ["Chart dynamo-crds 0.4.1", "fail"],
    ["Chart dynamo-platform 0.4.1", "fail"],
  ]);
  assert.deepEqual(statuses(await look(chartCheck, { fetch: answer(503) })), ["warn"]);
  const folder = await Deno.makeTempDir();
  const own = () => look(chartCheck, { chartRepository: folder });
  assert.deepEqual(statuses(await own()), ["fail"]);
  await Deno.writeTextFile(`${folder}/dynamo-platform-1.6.1.tgz`, "");
  assert.deepEqual(statuses(await own()), ["ok"]);
  await Deno.remove(folder, { recursive: true });
  const [away] = await look(chartCheck, { env: { HTTPS_PROXY: "http://ana:secret@proxy:1" } });
  assert.equal(away!.status, "warn");
  assert.match(away!.why, /through HTTPS_PROXY/);
  assert.ok(!JSON.stringify(away).includes("secret"));
});

Deno.test("the proxy is told without its password", async () => {
  const see = async (value: string) =>
    (await look(proxyCheck, { env: { HTTPS_PROXY: value } }))[0]!;
  const line = await see("http://ana:planted@proxy.example.com:3128");
  assert.match(line.why, /^http:\/\/proxy\.example\.com:3128;/);
  assert.equal((await see("::not a url")).status, "fail");
  assert.deepEqual(statuses(await look(proxyCheck)), ["skipped"]);
});

Deno.test("the token: its form always, its truth with --online", async () => {
  const token = "hf_plantedtoken123";
  const see = async (env: Record<string, string>, online: boolean, status?: number) => {
    const [line] = await look(hfTokenCheck, {
      env,
      online,
      fetch: (url, init) => {
        assert.equal(url, "http://127.0.0.1:1/api/whoami-v2");
        assert.equal(new Headers(init?.headers).get("authorization"), `Bearer ${token}`);
        return status === undefined
          ? Promise.reject(new TypeError("refused"))
          : Promise.resolve(Response.json({ name: "ana" }, { status }));
      },
    });
    assert.ok(!JSON.stringify(line).includes(token));
    return [line!.status, line!.why];
  };
  const env = { HF_TOKEN: token, HF_ENDPOINT: "http://127.0.0.1:1/" };
  assert.equal((await see({}, true))[0], "warn");
  assert.equal((await see({ HF_TOKEN: "nonsense" }, false))[0], "fail");
  assert.match((await see(env, false))[1]!, /form of a token/);
  assert.deepEqual(await see(env, true, 200), ["ok", "valid, of ana"]);
  assert.equal((await see(env, true, 401))[0], "fail");
  assert.equal((await see(env, true, 500))[0], "warn");
  assert.equal((await see(env, true))[0], "warn");
});
