import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { localLayout } from "./layout.ts";
import { type ClusterState, readState, writeState } from "./state.ts";

const STATE: ClusterState = {
  version: 1,
  createdAt: "2026-01-01T00:00:00.000Z",
  ports: { apiserver: 40001, kubelet: 40002 },
};

Deno.test("the state is kept with mode 0600", async () => {
  await using made = await testContext();
  const layout = localLayout(made.ctx);
  assert.equal(await readState(made.ctx, layout), undefined);
  await writeState(made.ctx, layout, STATE);
  assert.deepEqual(await readState(made.ctx, layout), STATE);
  assert.equal((await Deno.stat(layout.state)).mode! & 0o777, 0o600);
});

for (
  const broken of ["", "{", "null", '{"version":2}', '{"version":1,"ports":{"apiserver":"x"}}']
) {
  Deno.test(`a state file with ${JSON.stringify(broken)} counts as none`, async () => {
    await using made = await testContext();
    const layout = localLayout(made.ctx);
    await writeState(made.ctx, layout, STATE);
    await Deno.writeTextFile(layout.state, broken);
    assert.equal(await readState(made.ctx, layout), undefined);
  });
}
