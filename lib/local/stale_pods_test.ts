import assert from "node:assert/strict";
import { writeFileAtomic } from "../cli/files.ts";
import { testContext } from "../cli/testing.ts";
import type { Kube, KubeObject, ObjectRef } from "../kube/types.ts";
import { containerFolder } from "./agent/container_files.ts";
import { localLayout } from "./layout.ts";
import { retractReadiness } from "./stale_pods.ts";

function pod(name: string, ready: boolean): KubeObject {
  const status = ready ? "True" : "False";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "demo", uid: `uid-${name}` },
    status: {
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "ContainersReady", status },
        { type: "Ready", status },
      ],
    },
  };
}

Deno.test("pods lose their readiness when their process is gone, and keep it when it lives", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const layout = localLayout(ctx);
  const record = async (name: string, process: unknown) => {
    const folder = containerFolder(layout, `uid-${name}`, "main");
    await writeFileAtomic(
      ctx,
      `${folder}/process.json`,
      JSON.stringify({ shim: process, process }),
    );
  };
  await record("alive", ctx.processes.self);
  await record("dead", { pid: ctx.processes.self.pid, started: "another-boot/1" });
  const patched: [string, string[]][] = [];
  const kube: Pick<Kube, "list" | "patch"> = {
    list: <T extends KubeObject>() =>
      Promise.resolve({
        items: [
          pod("alive", true),
          pod("dead", true),
          pod("unknown", true),
          pod("pending", false),
        ] as T[],
        resourceVersion: "1",
      }),
    patch: <T extends KubeObject>(ref: ObjectRef, _type: string, body: unknown, sub?: string) => {
      assert.equal(sub, "status");
      const { conditions } = (body as { status: { conditions: Record<string, string>[] } }).status;
      patched.push([ref.name, conditions.map(({ type, status }) => `${type} ${status}`)]);
      return Promise.resolve({} as T);
    },
  };
  assert.equal(await retractReadiness(ctx, kube as Kube, layout), 2);
  const conditions = ["PodScheduled True", "ContainersReady False", "Ready False"];
  assert.deepEqual(patched, [["dead", conditions], ["unknown", conditions]]);
});
