/**
 * Steps of a stack's life that several tests share.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  findTerraform,
  type StackRunOptions,
  type TerraformStack,
  terraformStack,
  type TerraformTools,
  type TerraformView,
} from "./terraform_runs.ts";

/** A test with a stack of its own; it says so and ends where there is no terraform. */
export function stackTest(
  name: string,
  run: (stack: TerraformStack, tools: TerraformTools) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const tools = await findTerraform();
    if (tools === undefined) return;
    await using stack = await terraformStack(tools);
    await run(stack, tools);
  });
}

/** Runs terraform and wants it to succeed; what it printed is the message otherwise. */
export async function succeed(
  stack: TerraformStack,
  args: readonly string[],
  options: StackRunOptions,
): Promise<void> {
  const { code, output } = await stack.run(args, options);
  assert.equal(code, 0, output);
}

/** Apply, a look at the state, a plan that must be empty, destroy. */
export async function live(
  stack: TerraformStack,
  options: StackRunOptions,
  look: (state: TerraformView) => void | Promise<void> = () => {},
): Promise<void> {
  await succeed(stack, ["apply"], options);
  await look(await stack.show("state"));
  await destroyUnchanged(stack, options);
}

/** A plan that must be empty, and a destroy that leaves nothing. */
export async function destroyUnchanged(
  stack: TerraformStack,
  options: StackRunOptions,
): Promise<void> {
  await succeed(stack, ["plan", "-detailed-exitcode"], options);
  await succeed(stack, ["destroy"], options);
  assert.deepEqual(addresses(await stack.show("state")), []);
}

/** A plan as data. */
export async function planned(
  stack: TerraformStack,
  options: StackRunOptions,
): Promise<TerraformView> {
  await succeed(stack, ["plan"], options);
  return await stack.show("plan");
}

/** Addresses of all resources. */
export function addresses(view: TerraformView): string[] {
  return view.resources.map((resource) => resource.address);
}
