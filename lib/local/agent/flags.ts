/**
 * Reads and rewrites command-line flags of Dynamo's programs. Pure.
 *
 * @module
 */

/** The last value of a flag in `--name value` or `--name=value` form, under any of its names. */
export function flagValue(
  args: readonly string[],
  ...names: readonly string[]
): string | undefined {
  let value: string | undefined;
  args.forEach((arg, i) => {
    for (const name of names) {
      if (arg === name && isValue(args[i + 1])) value = args[i + 1];
      else if (arg.startsWith(`${name}=`)) value = arg.slice(name.length + 1);
    }
  });
  return value;
}

/** Whether a flag without a value is there, under any of its names. */
export function hasFlag(args: readonly string[], ...names: readonly string[]): boolean {
  return args.some((arg) => names.includes(arg));
}

/** A whole number of at least 1 from a flag; undefined when it is missing or something else. */
export function flagNumber(
  args: readonly string[],
  ...names: readonly string[]
): number | undefined {
  const text = flagValue(args, ...names);
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  return Number.isInteger(value) && value >= 1 ? value : undefined;
}

/** The arguments without a flag and its value, under any of its names. */
export function withoutFlag(args: readonly string[], ...names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (names.includes(arg)) {
      if (isValue(args[i + 1])) i++;
    } else if (!names.some((name) => arg.startsWith(`${name}=`))) {
      kept.push(arg);
    }
  }
  return kept;
}

// A value may be negative or JSON, but not another long flag.
function isValue(text: string | undefined): text is string {
  return text !== undefined && !text.startsWith("--");
}
