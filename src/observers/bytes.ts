/** Between text and the bytes a sink takes: UTF-8, one character per byte. */
import type { Bytes } from '../model.js';

const beyondAscii = /[^\x00-\x7f]/;

/** The UTF-8 bytes of a text. */
export function toBytes(text: string): Bytes {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text that bytes spell in UTF-8, with U+FFFD for what is not UTF-8. */
export function fromBytes(bytes: Bytes): string {
  return beyondAscii.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}
