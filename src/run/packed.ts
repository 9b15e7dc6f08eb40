import { brotliCompressSync, brotliDecompressSync } from "node:zlib";

/** Far more than fits into any mark: a record that unpacks to more than this was not written here. */
const mostBytes = 256 * 1024;

/** Returns a value as text that tags and descriptions take: compressed JSON in base64. */
export const packed = (value: unknown): string => brotliCompressSync(JSON.stringify(value)).toString("base64");

/** Returns what was packed; undefined for any text that is not the work of `packed`. */
export function unpacked(text: string): unknown {
  try {
    const bytes = brotliDecompressSync(Buffer.from(text, "base64"), { maxOutputLength: mostBytes });
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
