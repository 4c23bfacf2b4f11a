/**
 * Waits for the end of a test run, then takes its cluster away.
 * Arguments: state folder, process number and start of the test run.
 *
 * @module
 */
import { silentStep, testContext } from "../../lib/cli/testing.ts";
import { localDeleteSteps } from "../../lib/local/delete.ts";

const [home = "", pid = "", started = ""] = Deno.args;
const { ctx } = await testContext({ home });
while (ctx.processes.alive({ pid: Number(pid), started })) await ctx.clock.sleep(300);
for (const step of await localDeleteSteps(ctx, { cache: false })) {
  if (step.skip === undefined) await step.run(ctx, silentStep);
}
await Deno.remove(home.slice(0, home.lastIndexOf("/")), { recursive: true });
