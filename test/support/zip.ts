import { crc32, deflateRawSync } from "node:zlib";

/** One file of a zip; `claims` are what its entry says against the truth. */
export interface Zipped {
  readonly name: string;
  readonly text: string;
  readonly method?: 0 | 8;
  readonly claims?: { readonly size?: number; readonly crc?: number; readonly mode?: number; readonly flags?: number };
}

/** A zip as other programs write it, and as nobody should: what it says of an entry may be wrong. */
export function zip(files: readonly Zipped[]): Buffer {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, text, method = 8, claims = {} } of files) {
    const content = Buffer.from(text);
    const raw = method === 8 ? deflateRawSync(content) : content;
    const { size = content.length, crc = crc32(content), mode = 0o100644, flags = 0 } = claims;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    for (const [value, offset] of [
      [crc, 16],
      [raw.length, 20],
      [size, 24],
      [at, 42],
    ] as const)
      entry.writeUInt32LE(value, offset);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE((mode * 0x10000) >>> 0, 38);
    bodies.push(local, Buffer.from(name), raw);
    entries.push(entry, Buffer.from(name));
    at += 30 + Buffer.byteLength(name) + raw.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, directory, end]);
}
