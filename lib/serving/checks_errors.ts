/**
 * Checks of what a frontend says to requests that are wrong: a status, and words that a client's
 * author can use.
 *
 * @module
 */
import { type Check, failed, type Found, skip } from "./check_run.ts";
import type { CheckWorld } from "./check_world.ts";
import { chatCall } from "./completions.ts";
import { type Answer, type Call, call } from "./endpoint.ts";
import { errorText } from "./error_text.ts";
import { health } from "./probes.ts";

const NOT_A_MODEL = "dynamo-eks/no-such-model";

/** The checks. */
export function errorChecks(world: CheckWorld): Check[] {
  const path = "/v1/chat/completions";
  return [
    badRequest(world, {
      id: "wrong-model",
      title: "Unknown model is refused",
      statuses: [404],
      call: () => chatCall(world.chatOptions({ model: NOT_A_MODEL })),
    }),
    badRequest(world, {
      id: "malformed-json",
      title: "Malformed JSON is refused",
      statuses: [400],
      call: () => ({ method: "POST", path, raw: '{"model": "' }),
    }),
    badRequest(world, {
      id: "missing-field",
      title: "Missing messages are refused",
      // 0.4.1 says 422, 1.x says 400.
      statuses: [400, 422],
      call: () => ({ method: "POST", path, body: { model: world.model, max_tokens: 1 } }),
    }),
  ];
}

interface BadRequest {
  readonly id: string;
  readonly title: string;
  readonly statuses: readonly number[];
  readonly call: () => Call;
}

function badRequest(world: CheckWorld, { statuses, ...bad }: BadRequest): Check {
  return { ...bad, phase: 1, run: () => checkRefusal(world, bad.call(), statuses) };
}

async function checkRefusal(
  world: CheckWorld,
  request: Call,
  statuses: readonly number[],
): Promise<Found> {
  if (world.model === undefined) return skip("no model is served");
  const { ctx, endpoint } = world;
  // All of them are answers here; which one it is gets judged below.
  const accept = Array.from({ length: 200 }, (_, i) => 400 + i);
  const answer = await call(ctx, endpoint, { ...request, accept });
  if (!statuses.includes(answer.status)) {
    throw failed(`the answer is ${answer.status}, not ${statuses.join(" or ")}: ${words(answer)}`);
  }
  const said = words(answer);
  if (said === "") throw failed(`${answer.status} comes without a word`);
  const problem = shapeProblem(world, answer);
  if (problem !== undefined) throw failed(problem);
  // A bad request must harm nobody else.
  if (!(await health(ctx, endpoint)).healthy) throw failed("the frontend is unhealthy after it");
  return { detail: `${answer.status}: ${said}` };
}

function words({ text }: Answer): string {
  return errorText(text);
}

// Since 1.0 an error is a JSON object with message, type and code; before, it is
// {"error": ".."} or plain text.
function shapeProblem({ traits }: CheckWorld, answer: Answer): string | undefined {
  const major = Number(/^v?(\d+)\./.exec(traits.release ?? "")?.[1] ?? NaN);
  if (!(major >= 1)) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    return `the error is not JSON: ${words(answer)}`;
  }
  const { message, type, code } = body as Record<string, unknown>;
  if (typeof message !== "string" || typeof type !== "string") {
    return `the error has no message and type: ${answer.text.slice(0, 200)}`;
  }
  return code === answer.status ? undefined : `the error's code is ${code}, not ${answer.status}`;
}
