/** Most arguments of one call; engines have limits from 65,536 on. */
const LETTERS = 32_768;

/** Bytes as text, for channels that carry JSON. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += LETTERS) {
    binary += String.fromCharCode(...bytes.subarray(at, at + LETTERS));
  }
  return btoa(binary);
}

/** The bytes of what {@link toBase64} wrote. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
