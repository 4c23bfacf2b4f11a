/**
 * Writes tar archives (POSIX.1-1988 ustar) of small files. A library would be a dependency for
 * one header of 512 bytes.
 *
 * @module
 */

/** One file of an archive. */
export interface TarFile {
  /** Path with slashes, ASCII, at most 100 bytes behind its folder and 155 for the folder. */
  readonly path: string;
  /** Content. */
  readonly text: string;
}

const BLOCK = 512;

/** The archive, compressed with gzip; files have mode 0600 and the given time (ms). */
export async function tarGzip(files: readonly TarFile[], now: number): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const file of files) {
    const data = new TextEncoder().encode(file.text);
    parts.push(header(file.path, data.length, now), data);
    parts.push(new Uint8Array((BLOCK - data.length % BLOCK) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const stream = new Blob(parts).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function header(path: string, size: number, now: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number) => block.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  const { prefix, name } = splitPath(path);
  put(name, 0);
  put(`${octal(0o600, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  put(`${octal(size, 11)}\0${octal(Math.floor(now / 1000), 11)}\0`, 124);
  put("        0", 148);
  put("ustar\x0000", 257);
  put(prefix, 345);
  put(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `, 148);
  return block;
}

function splitPath(path: string): { prefix: string; name: string } {
  if (path.length <= 100) return { prefix: "", name: path };
  const at = path.indexOf("/", path.length - 101);
  if (at < 0 || at > 155) throw new Error(`the path is too long for tar: ${path}`);
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}
