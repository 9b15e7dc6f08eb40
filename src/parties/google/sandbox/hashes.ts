import { createHash } from "node:crypto";

/** The two hashes that Cloud Storage keeps of a content, in base64. */
export interface Hashes {
  readonly md5Hash: string;
  readonly crc32c: string;
}

/** CRC-32 with Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4): Node's own `crc32` has another one. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** In base64, the highest byte first, as the API shows it. */
export function crc32c(content: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of content) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] ?? 0);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((value ^ 0xffffffff) >>> 0);
  return bytes.toString("base64");
}

export const hashesOf = (content: Buffer): Hashes => ({
  md5Hash: createHash("md5").update(content).digest("base64"),
  crc32c: crc32c(content),
});

/** The value of an `x-goog-hash` header. What an older version of the sandbox has kept has no CRC. */
export const hashHeader = ({ md5Hash, crc32c }: Partial<Hashes>): string =>
  [...(crc32c ? [`crc32c=${crc32c}`] : []), `md5=${md5Hash}`].join(",");

/** The hashes in a header of that form; others are left out. */
export function hashesIn(header: string | undefined): Partial<Hashes> {
  const parts = (header ?? "").split(",").map((part) => /^\s*(md5|crc32c)=(\S+)\s*$/.exec(part));
  const of = (name: string) => parts.find((part) => part?.[1] === name)?.[2];
  const [md5Hash, sum] = [of("md5"), of("crc32c")];
  return { ...(md5Hash ? { md5Hash } : {}), ...(sum ? { crc32c: sum } : {}) };
}

const names = { md5Hash: "MD5 hash", crc32c: "CRC32C" } as const;

/** Why a content is not what its sender says, in words that are approximate; undefined where it is. */
export function mismatch(said: Partial<Hashes>, found: Hashes): string | undefined {
  const name = (["crc32c", "md5Hash"] as const).find((one) => said[one] !== undefined && said[one] !== found[one]);
  return name && `Provided ${names[name]} "${said[name]}" doesn't match calculated ${names[name]} "${found[name]}".`;
}
