/**
 * Terraform's machine-readable output (`-json`): one event a line.
 *
 * Source: HashiCorp's "Machine-Readable UI" and streams recorded with terraform 1.11.
 *
 * @module
 */

/** What terraform does with a resource. */
export type ResourceAction = "create" | "update" | "delete" | "replace" | "read" | "other";

/** A problem that terraform reports. */
export interface Diagnostic {
  /** How bad it is. */
  readonly severity: "error" | "warning";
  /** One line. */
  readonly summary: string;
  /** More lines; empty when there are none. */
  readonly detail: string;
  /** Resource that it is about. */
  readonly address?: string;
  /** `file.tf:12`. */
  readonly place?: string;
}

/** One event. Anything else in the stream is no event and is left out. */
export type TerraformEvent =
  | { readonly kind: "version"; readonly version: string }
  | {
    readonly kind: "planned";
    readonly address: string;
    readonly action: ResourceAction;
  }
  | {
    readonly kind: "started" | "progress" | "done" | "failed";
    readonly address: string;
    readonly type: string;
    readonly action: ResourceAction;
    /** Seconds since it started; 0 for `started`. */
    readonly seconds: number;
    /** Id that the provider gave; only with `done`. */
    readonly id?: string;
  }
  | { readonly kind: "refreshing"; readonly address: string }
  | {
    readonly kind: "summary";
    readonly operation: "plan" | "apply" | "destroy";
    readonly add: number;
    readonly change: number;
    readonly remove: number;
  }
  | { readonly kind: "diagnostic"; readonly diagnostic: Diagnostic }
  | { readonly kind: "text"; readonly text: string };

const HOOKS = {
  apply_start: "started",
  apply_progress: "progress",
  apply_complete: "done",
  apply_errored: "failed",
} as const;

/** Reads a line; undefined for events that say nothing here. A line that is no JSON is text. */
export function readEvent(line: string): TerraformEvent | undefined {
  if (line.trim() === "") return undefined;
  const message = parseObject(line);
  if (message === undefined) return { kind: "text", text: line };
  const type = text(message["type"]);
  switch (type) {
    case "version":
      // OpenTofu has a field of its own name.
      return { kind: "version", version: text(message["terraform"]) || text(message["tofu"]) };
    case "planned_change": {
      const change = object(message["change"]);
      return {
        kind: "planned",
        address: text(object(change["resource"])["addr"]),
        action: actionOf(change["action"]),
      };
    }
    case "apply_start":
    case "apply_progress":
    case "apply_complete":
    case "apply_errored": {
      const hook = object(message["hook"]);
      const resource = object(hook["resource"]);
      const id = text(hook["id_value"]);
      return {
        kind: HOOKS[type],
        address: text(resource["addr"]),
        type: text(resource["resource_type"]),
        action: actionOf(hook["action"]),
        seconds: number(hook["elapsed_seconds"]),
        ...(type === "apply_complete" && id !== "" ? { id } : {}),
      };
    }
    case "refresh_start":
      return {
        kind: "refreshing",
        address: text(object(object(message["hook"])["resource"])["addr"]),
      };
    case "change_summary": {
      const changes = object(message["changes"]);
      const operation = text(changes["operation"]);
      return {
        kind: "summary",
        operation: operation === "apply" || operation === "destroy" ? operation : "plan",
        add: number(changes["add"]),
        change: number(changes["change"]),
        remove: number(changes["remove"]),
      };
    }
    case "diagnostic":
      return { kind: "diagnostic", diagnostic: readDiagnostic(object(message["diagnostic"])) };
    case "log": {
      const words = text(message["@message"]).trim();
      return words === "" ? undefined : { kind: "text", text: words };
    }
    default:
      return undefined;
  }
}

function readDiagnostic(raw: Record<string, unknown>): Diagnostic {
  const range = object(raw["range"]);
  const file = text(range["filename"]);
  const address = text(raw["address"]);
  return {
    severity: raw["severity"] === "warning" ? "warning" : "error",
    summary: text(raw["summary"]),
    detail: text(raw["detail"]).trim(),
    ...(address === "" ? {} : { address }),
    ...(file === "" ? {} : { place: `${file}:${number(object(range["start"])["line"])}` }),
  };
}

const ACTIONS: Readonly<Record<string, ResourceAction>> = {
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  read: "read",
};

function actionOf(value: unknown): ResourceAction {
  return ACTIONS[text(value)] ?? "other";
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return object(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
