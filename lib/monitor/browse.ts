/**
 * A way from this machine to Grafana or Prometheus, open until interrupted.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { interrupted } from "../cli/interrupted.ts";
import type { GraphSession } from "../deploy/session.ts";
import { forwardPort, resolveServicePod } from "../kube/port_forward.ts";
import { findMonitoring, grafanaLogin, type MonitoringKind } from "./services.ts";

/** Options of {@link forwardMonitoring}. */
export interface ForwardMonitoringOptions {
  /** What to reach. */
  readonly kind: MonitoringKind;
  /** Port on 127.0.0.1; a free one when undefined. */
  readonly localPort: number | undefined;
  /** Shows it in the browser. */
  readonly open: boolean;
  /** Prints one JSON object instead of lines. */
  readonly json: boolean;
}

/** Forwards, says where it is and how to log in, and returns when the task is interrupted. */
export async function forwardMonitoring(
  ctx: Context,
  session: GraphSession,
  options: ForwardMonitoringOptions,
): Promise<void> {
  const { kube, target } = session;
  const service = await findMonitoring(kube, target, options.kind);
  const { namespace, port } = service;
  const forwarder = await forwardPort(ctx, kube, {
    // Asked again when the pod is gone.
    pod: () => resolveServicePod(kube, { namespace, service: service.name, port }),
    port,
    ...(options.localPort === undefined ? {} : { localPort: options.localPort }),
  });
  try {
    const { url } = forwarder;
    const login = options.kind === "grafana"
      ? await grafanaLogin(ctx, kube, service, target)
      : undefined;
    if (options.json) {
      const { name } = service;
      ctx.ui.out(JSON.stringify({ kind: options.kind, url, namespace, service: name, ...login }));
    } else {
      ctx.ui.out(url);
      if (login !== undefined) {
        ctx.ui.info(`  User: ${login.user}`);
        ctx.ui.info(`  Password: ${login.passwordCommand}`);
      }
      ctx.ui.info(`  Forwarding to ${namespace}/${service.name}; Ctrl-C ends it`);
    }
    // Some systems' opener lasts as long as the browser.
    if (options.open) await Promise.race([openBrowser(ctx, url), interrupted(ctx.signal)]);
    await interrupted(ctx.signal);
  } finally {
    await forwarder.close();
  }
}

/** Shows a URL in the user's browser; says so when that does not work. Never ends the browser. */
async function openBrowser(ctx: Context, url: string): Promise<void> {
  const program = ctx.platform.os === "darwin" ? "open" : "xdg-open";
  try {
    const { code, stderr } = await ctx.processes.run(program, [url]);
    if (code === 0) return;
    ctx.ui.warn(`No browser was opened: ${stderr.trim().split("\n").at(-1) || program}`);
  } catch (error) {
    ctx.ui.warn(`No browser was opened: ${messageOf(error)}`);
  }
}
