/**
 * Splits a shell script of the kind found in manifests into its simple commands. Knows quotes,
 * variables, redirections and the operators between commands; no substitutions of commands,
 * no control structures. Pure.
 *
 * @module
 */

/** One command of a script. */
export interface ShellCommand {
  /** Program and arguments, quotes removed. */
  readonly words: readonly string[];
  /** Variables set in front of it. */
  readonly env: Readonly<Record<string, string>>;
}

type Token = { readonly kind: "word"; readonly text: string } | { readonly kind: "end" };

/**
 * The commands of a script in their order.
 *
 * @param env Variables; unknown ones are empty, as in a shell.
 */
export function splitShell(
  script: string,
  env: Readonly<Record<string, string>> = {},
): ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  const finish = () => {
    if (words.length > 0) commands.push(withAssignments(words));
    words = [];
  };
  for (const token of tokens(script, env)) {
    if (token.kind === "end") finish();
    else words.push(token.text);
  }
  finish();
  return commands;
}

function withAssignments(words: readonly string[]): ShellCommand {
  const env: Record<string, string> = {};
  let start = 0;
  while (start < words.length) {
    const word = words[start]!;
    const assignment = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word);
    if (assignment !== null) env[assignment[1]!] = assignment[2]!;
    else if (!["exec", "env", "export", "nohup", "time"].includes(word)) break;
    start++;
  }
  return { words: words.slice(start), env };
}

function* tokens(script: string, env: Readonly<Record<string, string>>): Generator<Token> {
  let word: string | undefined;
  let at = 0;
  while (at < script.length) {
    const character = script[at]!;
    const rest = script.slice(at);
    const redirection = /^\d*(>>|>&|<<<|>|<|&>>?)\s*([^\s;|()]+)?/.exec(rest);
    if (redirection !== null && (word === undefined || !/^\d/.test(rest))) {
      if (word !== undefined) yield { kind: "word", text: word };
      word = undefined;
      at += redirection[0].length;
    } else if (/\s/.test(character) || ";&|()".includes(character)) {
      if (word !== undefined) yield { kind: "word", text: word };
      word = undefined;
      if (!/[^\S\n]/.test(character)) yield { kind: "end" };
      at++;
    } else if (character === "#" && word === undefined) {
      at += /^[^\n]*/.exec(rest)![0].length;
    } else {
      const piece = readPiece(rest, env);
      // Only quotes make a word out of nothing.
      if (piece.text !== "" || piece.quoted || word !== undefined) word = (word ?? "") + piece.text;
      at += piece.length;
    }
  }
  if (word !== undefined) yield { kind: "word", text: word };
}

/** The next piece of a word: quoted, escaped, a variable, or one plain character. */
function readPiece(
  rest: string,
  env: Readonly<Record<string, string>>,
): { text: string; length: number; quoted?: true } {
  const single = /^'([^']*)'?/.exec(rest);
  if (single !== null) return { text: single[1]!, length: single[0].length, quoted: true };
  const double = /^"((?:[^"\\]|\\[\s\S])*)"?/.exec(rest);
  if (double !== null) {
    const text = double[1]!.replace(
      /\\([$`"\\\n])|(\$(?:\w+|\{[^}]*\}))/g,
      (_, escaped?: string, variable?: string) =>
        variable === undefined ? (escaped === "\n" ? "" : escaped!) : expandVariable(variable, env),
    );
    return { text, length: double[0].length, quoted: true };
  }
  const escaped = /^\\([\s\S])/.exec(rest);
  if (escaped !== null) return { text: escaped[1] === "\n" ? "" : escaped[1]!, length: 2 };
  const variable = /^\$(?:\w+|\{[^}]*\})/.exec(rest);
  if (variable !== null) {
    return { text: expandVariable(variable[0], env), length: variable[0].length };
  }
  return { text: rest[0]!, length: 1 };
}

/** `$NAME`, `${NAME}`, `${NAME:-default}`. */
export function expandVariable(text: string, env: Readonly<Record<string, string>>): string {
  const [, name, , fallback] = /^\$\{?(\w+)(:?-([^}]*))?\}?$/.exec(text) ?? [];
  if (name === undefined) return "";
  return env[name] || (fallback ?? "");
}
