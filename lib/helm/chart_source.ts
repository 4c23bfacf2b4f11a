/**
 * Where charts come from: a repository over HTTP, a registry (`oci://`), or a folder.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";

/** User name and password of a private repository. */
export interface RepositoryLogin {
  /** User name. */
  readonly username: string;
  /** Password or token. */
  readonly password: string;
}

/** A place with charts. */
export type ChartSource =
  | { readonly kind: "http"; readonly url: string; readonly login?: RepositoryLogin }
  | { readonly kind: "oci"; readonly url: string }
  | { readonly kind: "folder"; readonly path: string };

/** NVIDIA's public repository of Dynamo's charts; no key is needed. */
export const NGC_REPOSITORY = "https://helm.ngc.nvidia.com/nvidia/ai-dynamo";

/** Environment variables with the login of a private mirror. */
export const LOGIN_VARIABLES = ["CHART_REPOSITORY_USERNAME", "CHART_REPOSITORY_PASSWORD"] as const;

/**
 * Reads `--chart-repository`: a URL, `oci://…`, or the path of a folder. The login of a private
 * mirror comes from `CHART_REPOSITORY_USERNAME` and `CHART_REPOSITORY_PASSWORD`; NVIDIA's own
 * repository gets none.
 *
 * @throws {TaskError} CHART_REPOSITORY (exit code 2), which never shows what may be a password.
 */
export function chartSource(ctx: Context, asked: string | undefined): ChartSource {
  if (asked === undefined) return { kind: "http", url: NGC_REPOSITORY };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(asked)) {
    return { kind: "folder", path: asked.replace(/(?<=.)\/+$/, "") };
  }
  const url = URL.canParse(asked) ? new URL(asked) : undefined;
  if (url?.username || url?.password) {
    ctx.ui.redact(url.password);
    throw usageError(
      "CHART_REPOSITORY",
      `The chart repository's URL (${url.host}) holds a user name or password`,
      `Leave them out and set ${LOGIN_VARIABLES.join(" and ")}.`,
    );
  }
  if (url?.protocol === "oci:") return { kind: "oci", url: asked.replace(/\/+$/, "") };
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.search !== "") {
    throw usageError(
      "CHART_REPOSITORY",
      `"${asked}" is not a chart repository`,
      "Give an https:// URL with an index.yaml below it, oci://…, or the path of a folder.",
    );
  }
  const login = loginOf(ctx);
  if (login !== undefined && url.protocol === "http:" && !isLoopback(url)) {
    throw usageError(
      "CHART_REPOSITORY",
      `${url.host} is not encrypted: the login in ${LOGIN_VARIABLES[0]} is not sent there`,
      "Use https://, or unset the variable.",
    );
  }
  return {
    kind: "http",
    url: url.href.replace(/\/+$/, ""),
    ...(login === undefined ? {} : { login }),
  };
}

/** The source in a few words. */
export function describeSource(source: ChartSource): string {
  return source.kind === "folder" ? source.path : source.url;
}

function loginOf(ctx: Context): RepositoryLogin | undefined {
  const [username, password] = LOGIN_VARIABLES.map((name) => ctx.env.get(name));
  if (password !== undefined) ctx.ui.redact(password);
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined) {
    throw usageError(
      "CHART_REPOSITORY",
      `Only one of ${LOGIN_VARIABLES.join(" and ")} is set`,
      "Set both, or none for a public repository.",
    );
  }
  return { username, password };
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}
