/**
 * Addresses shown for pods. They are on no interface: nobody can dial them. Pure.
 *
 * @module
 */

const COUNT = 254 * 254;

/**
 * A free address of 10.244.0.0/16: the same for the same pod, unless it is taken.
 *
 * @param uid Uid of the pod.
 * @param taken Addresses of the other pods.
 */
export function choosePodAddress(uid: string, taken: ReadonlySet<string>): string {
  let number = hash(uid) % COUNT;
  for (let tries = 0; tries < COUNT; tries++) {
    const address = `10.244.${Math.floor(number / 254) + 1}.${number % 254 + 1}`;
    if (!taken.has(address)) return address;
    number = (number + 1) % COUNT;
  }
  return "10.244.0.1";
}

// FNV-1a.
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}
