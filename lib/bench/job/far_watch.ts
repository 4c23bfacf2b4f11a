/**
 * The watch over the server when the load generator is a pod and the scrapes are made elsewhere, by
 * whoever started it: the pod says in its log when the run is about to begin and when it is over,
 * and each time waits for word at its control port. So both sides know the same moments, though
 * their clocks differ.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import type { Pinger } from "../server/ping.ts";
import { type ServerRecord, type ServerWatch, watchServer } from "../server/watch.ts";
import { type ControlRequest, hearOnce } from "./control.ts";
import type { WatchMessage } from "./messages.ts";

/** Options of {@link farWatch}. */
export interface FarWatchOptions {
  /** Port on 127.0.0.1 where word comes. */
  readonly port: number;
  /** Says something in the log. */
  readonly say: (message: WatchMessage) => Promise<void>;
  /** Small requests on the load's way, which only the pod can send. */
  readonly pinger: Pinger;
  /** Milliseconds after which the run goes on without word; 20 s unless given. */
  readonly patienceMs?: number;
}

/** What is asked of the pod by the other side. */
export type AskPod = (request: ControlRequest) => Promise<unknown>;

const PATIENCE_MS = 20_000;

/** The pod's side: a watch without sources of its own, which gets the other side's record. */
export function farWatch(
  ctx: Pick<Context, "net" | "clock" | "signal">,
  { port, say, pinger, patienceMs = PATIENCE_MS }: FarWatchOptions,
): ServerWatch {
  const { clock } = ctx;
  const own = watchServer({ clock, open: () => Promise.resolve([]), pinger });
  const wait = (kind: "go" | "record") => hearOnce(ctx, { port, kind, patienceMs });
  let begun = 0;
  return {
    async begin(model) {
      const word = wait("go");
      await say({ kind: "watch", at: "begin", model });
      await word;
      begun = clock.monotonic();
      await own.begin(model);
    },
    async end(start) {
      const word = wait("record");
      await say({ kind: "watch", at: "end", delayMs: start - begun });
      const record = await word;
      const { roundTrip, ...nothing } = await own.end(start);
      return { ...(record?.kind === "record" ? record.record : nothing), roundTrip };
    },
    points: [],
    close: () => own.close(),
  };
}

/** The other side of {@link farWatch}: a watch of its own that follows what the pod says. */
export interface WatchFollower {
  /** Takes what the pod said. */
  hear(message: WatchMessage): void;
  /** Settled when all that was heard is done; the reason when the server could not be watched. */
  done(): Promise<string | undefined>;
}

/** Follows a pod's run with `watch`; `ask` reaches the pod's control port. */
export function followWatch(
  { clock }: Pick<Context, "clock">,
  watch: ServerWatch,
  ask: AskPod,
): WatchFollower {
  let last: Promise<void> = Promise.resolve();
  let problem: string | undefined;
  let begun = 0;
  const answer = async (message: WatchMessage): Promise<void> => {
    if (message.at === "begin") {
      await watch.begin(message.model);
      await ask({ kind: "go" });
      begun = clock.monotonic();
    } else {
      const record: ServerRecord = await watch.end(begun + message.delayMs);
      await ask({ kind: "record", record });
    }
  };
  return {
    hear(message) {
      last = last.then(() => problem === undefined ? answer(message) : undefined).catch((error) => {
        problem = error instanceof Error ? error.message : String(error);
      });
    },
    async done() {
      await last;
      return problem;
    },
  };
}
