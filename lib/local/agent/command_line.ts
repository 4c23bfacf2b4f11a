/**
 * Reads what a container is told to run: Kubernetes' `command` and `args`, also when they hide
 * in `/bin/sh -c "…"`. Nothing is executed here; only the Python program and its arguments
 * are found. Pure.
 *
 * @module
 */
import { splitShell } from "./shell_words.ts";

/** What a container runs, when it is Python. */
export interface PythonProgram {
  /** Module of `python -m`, or undefined for a script. */
  readonly module?: string;
  /** File name of the script without its folder, or undefined for a module. */
  readonly script?: string;
  /** Arguments behind it. */
  readonly args: readonly string[];
  /** Variables set in front of the command in a shell. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Kubernetes' own substitution in `command`, `args` and `env`: `$(NAME)` with a known name is
 * replaced, `$$(NAME)` becomes `$(NAME)`, everything else stays.
 */
export function expandReferences(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()\s]+)\)/g, (found, name?: string) => {
    if (found === "$$") return "$";
    return (name === undefined ? undefined : env[name]) ?? found;
  });
}

/**
 * The Python program of a container, or undefined when it runs something else.
 *
 * @param words `command` and `args` in one list, after {@link expandReferences}.
 * @param env Variables for `$NAME` in a shell command.
 */
export function pythonProgram(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): PythonProgram | undefined {
  const script = shellScript(words);
  if (script === undefined) return programOf(words, {});
  for (const command of splitShell(script, env)) {
    const found = programOf(command.words, command.env);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The script of `sh -c SCRIPT`; a shell takes the first argument that follows its flags. */
export function shellScript(words: readonly string[]): string | undefined {
  if (!/^(ba|da|k|z)?sh$/.test(baseName(words[0] ?? ""))) return undefined;
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (!word.startsWith("-")) return undefined;
    if (/^-[a-z]*c$/.test(word)) return words[i + 1];
  }
  return undefined;
}

// Launchers such as mpirun or numactl stand in front of Python.
function programOf(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): PythonProgram | undefined {
  const start = words.findIndex((word) => /^python(\d+(\.\d+)?)?$/.test(baseName(word)));
  if (start < 0) return undefined;
  for (let i = start + 1; i < words.length; i++) {
    const word = words[i]!;
    if (word === "-m") {
      const module = words[i + 1];
      return module === undefined ? undefined : { module, args: words.slice(i + 2), env };
    }
    if (word === "-c") return undefined;
    if (word === "-W" || word === "-X") i++;
    else if (!word.startsWith("-")) {
      return { script: baseName(word), args: words.slice(i + 1), env };
    }
  }
  return undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
