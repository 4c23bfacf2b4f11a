/**
 * The SPDY sessions to one pod: as few as possible, as many as are good for connections that do
 * not take what comes.
 *
 * @module
 */
import type { PodTunnel } from "./pod_tunnel.ts";
import type { PodConnection } from "./types.ts";

/** Sessions to one pod. */
export interface PodTunnels {
  /** Opens a connection to a port; fails as the opening of a session does. */
  connect(port: number): Promise<PodConnection>;
}

// Connections over one session before another one is waited for.
const MOST_SHARED = 16;
const MOST_SESSIONS = 32;

/** Sessions that `open` opens when they are needed. */
export function podTunnels(open: () => Promise<PodTunnel>): PodTunnels {
  let sessions: PodTunnel[] = [];
  let opening: Promise<void> | undefined;

  function grow(): Promise<void> {
    opening ??= open().then((session) => void sessions.push(session))
      .finally(() => opening = undefined);
    return opening;
  }

  function best(): PodTunnel | undefined {
    sessions = sessions.filter((session) => session.usable || session.load > 0);
    return sessions.filter((session) => session.usable).sort((a, b) => a.load - b.load)[0];
  }

  return {
    async connect(port) {
      for (;;) {
        const found = best();
        const more = sessions.length < MOST_SESSIONS;
        if (found !== undefined && (found.load < MOST_SHARED || !more)) {
          // The next one shall not have to share.
          if (found.load > 0 && more) grow().catch(() => {});
          return found.connect(port);
        }
        try {
          await grow();
        } catch (error) {
          const shared = best();
          if (shared === undefined) throw error;
          return shared.connect(port);
        }
      }
    },
  };
}
