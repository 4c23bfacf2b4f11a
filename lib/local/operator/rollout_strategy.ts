/**
 * The Deployment strategy an annotation asks for.
 *
 * @module
 */
import { ANNOTATION } from "./names.ts";
import type { Json } from "./types.ts";

/** Strategy of a Deployment, from the component's annotations. */
export function rolloutStrategy(annotations: Record<string, string> | undefined): Json {
  const rolling = (maxSurge: string | number, maxUnavailable: string | number): Json => ({
    type: "RollingUpdate",
    rollingUpdate: {
      maxSurge: intOrString(annotations?.[ANNOTATION.maxSurge]) ?? maxSurge,
      maxUnavailable: intOrString(annotations?.[ANNOTATION.maxUnavailable]) ?? maxUnavailable,
    },
  });
  switch (annotations?.[ANNOTATION.strategy]) {
    case "Recreate":
      return { type: "Recreate" };
    case "RampedSlowRollout":
      return rolling(1, 0);
    case "BestEffortControlledRollout":
      return rolling(0, "20%");
    default:
      return rolling("25%", "25%");
  }
}

function intOrString(text: string | undefined): string | number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}
