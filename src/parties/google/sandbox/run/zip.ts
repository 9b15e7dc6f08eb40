import { crc32, inflateRawSync } from "node:zlib";
import { GoogleError } from "../rest.ts";

/** What a source may unpack to, in bytes; in life a function's source may be 512 MB. */
const maxBytes = 64 * 1024 * 1024;

const bad = (says: string): GoogleError =>
  new GoogleError([400, "INVALID_ARGUMENT"], `The source is no usable zip: ${says}`);

/** One entry as the central directory tells it. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

/**
 * The files of a zip by path, folders left out. By the central directory, as every unpacker reads it: local headers
 * may leave out the sizes (APPNOTE 4.3). Refused are names that lead out of the folder, links, encryption and zip64.
 */
export function unzip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let total = 0;
  for (const entry of directory(zip)) {
    if (entry.name.endsWith("/")) continue;
    total += entry.size;
    if (total > maxBytes) throw bad("it holds too much");
    files.set(entry.name, contentOf(zip, entry));
  }
  return files;
}

function directory(zip: Buffer): readonly Entry[] {
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0 || end + 22 > zip.length) throw bad("it has no directory");
  const entries: Entry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== 0x02014b50) throw bad("its directory is cut off");
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const name = zip.toString("utf8", at + 46, at + 46 + (nameLength ?? 0));
    check(name, zip, at);
    entries.push({
      name,
      method: zip.readUInt16LE(at + 10),
      crc: zip.readUInt32LE(at + 16),
      packed: zip.readUInt32LE(at + 20),
      size: zip.readUInt32LE(at + 24),
      at: zip.readUInt32LE(at + 42),
    });
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}

/** The upper half of the external attributes is the Unix mode, where one was written. */
function check(name: string, zip: Buffer, at: number): void {
  const parts = name.split("/");
  if (
    name.startsWith("/") ||
    name.includes("\\") ||
    name.includes("\0") ||
    /^[a-z]:/i.test(name) ||
    parts.includes("..")
  )
    throw bad(`${name} leads out of its folder`);
  if ((zip.readUInt16LE(at + 8) & 1) === 1) throw bad(`${name} is encrypted`);
  if (((zip.readUInt32LE(at + 38) >>> 16) & 0o170000) === 0o120000) throw bad(`${name} is a link`);
  if ([20, 24, 42].some((field) => zip.readUInt32LE(at + field) === 0xffffffff)) throw bad("zip64 is not played");
}

function contentOf(zip: Buffer, { name, method, crc, packed, size, at }: Entry): Buffer {
  if (at + 30 > zip.length || zip.readUInt32LE(at) !== 0x04034b50) throw bad(`${name} is not where it should be`);
  const from = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
  const raw = zip.subarray(from, from + packed);
  const content = method === 0 ? raw : method === 8 ? inflated(raw, { name, size }) : undefined;
  if (!content) throw bad(`${name} is packed by method ${method}`);
  if (content.length !== size || crc32(content) !== crc) throw bad(`${name} is damaged`);
  return content;
}

/** The stated size is also the limit: what says less than it is cannot fill the memory. */
function inflated(raw: Buffer, { name, size }: { readonly name: string; readonly size: number }): Buffer {
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(size, 1) });
  } catch {
    throw bad(`${name} is damaged`);
  }
}
