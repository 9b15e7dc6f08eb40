import { type FakeAnswer, type Host, json } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import { type Hashes, hashesOf, mismatch } from "./hashes.ts";
import { GoogleError } from "./rest.ts";

/** Kept as `google.object/BUCKET/NAME`; small texts stand in the state itself, everything else in a blob. */
export interface StoredObject {
  readonly bucket: string;
  readonly name: string;
  readonly generation: string;
  readonly contentType: string;
  readonly updated: string;
  readonly size: number;
  readonly md5Hash: string;
  /** Not kept by older versions of the sandbox. */
  readonly crc32c?: string;
  /** Grows with each change of what is said about the content; absent: 1. */
  readonly metageneration?: number;
  readonly text?: string;
  readonly blob?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Bytes up to which a text is kept in the state: reports and leases, which a stale read has to find. */
const maxText = 64 * 1024;

/** An error of Cloud Storage, which has no canonical status: clients look at `reason`. */
export class StorageError extends GoogleError {
  readonly reason: string;

  constructor([status, reason]: readonly [number, string], message: string) {
    super([status, ""], message);
    this.reason = reason;
  }

  override answer(): FakeAnswer {
    const { status: code, message, reason } = this;
    return json(code, { error: { code, message, errors: [{ message, domain: "global", reason }] } });
  }
}

export const objectKey = (bucket: string, name: string): string => `google.object/${bucket}/${name}`;

export const objectOf = (view: View, bucket: string, name: string): StoredObject | undefined =>
  view.get<StoredObject>(objectKey(bucket, name));

export const contentOf = (host: Host, { text, blob, bucket, name }: StoredObject): Buffer => {
  const content = text === undefined ? host.blobs.get(blob ?? "") : Buffer.from(text);
  if (!content) throw new StorageError([404, "notFound"], `No such object: ${bucket}/${name}`);
  return content;
};

/** What an upload says about itself beside its content. */
export interface Upload {
  readonly bucket: string;
  readonly name: string;
  readonly contentType: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** What its sender says that the content comes to. */
  readonly said?: Partial<Hashes>;
}

/** Stores a content under a generation that was never used before. Throws where it is not what its sender says. */
export function saveObject(host: Host, { said = {}, ...upload }: Upload, content: Buffer): StoredObject {
  const hashes = hashesOf(content);
  const wrong = mismatch(said, hashes);
  if (wrong !== undefined) throw new StorageError([400, "invalid"], wrong);
  const text = content.toString("utf8");
  const plain = content.length <= maxText && Buffer.from(text).equals(content);
  const object: StoredObject = {
    ...upload,
    // In life a time in microseconds; all that clients may rely on is that it is never used again.
    generation: String(1_700_000_000_000_000 + host.state.next("google.object")),
    updated: new Date(host.now()).toISOString(),
    size: content.length,
    ...hashes,
    ...(plain ? { text } : { blob: host.blobs.put(content) }),
  };
  host.state.put(objectKey(upload.bucket, upload.name), object);
  return object;
}

/** Opaque, and another one after each change. */
export const etagOf = ({
  generation,
  metageneration = 1,
}: Pick<StoredObject, "generation" | "metageneration">): string =>
  `C${generation}${metageneration === 1 ? "" : `/${metageneration}`}`;

/** As the API shows it: numbers are texts. */
export const shownObject = ({ text: _, blob: __, ...rest }: StoredObject) => ({
  kind: "storage#object",
  id: `${rest.bucket}/${rest.name}/${rest.generation}`,
  selfLink: `https://www.googleapis.com/storage/v1/b/${rest.bucket}/o/${encodeURIComponent(rest.name)}`,
  mediaLink: `https://storage.googleapis.com/download/storage/v1/b/${rest.bucket}/o/${encodeURIComponent(rest.name)}?generation=${rest.generation}&alt=media`,
  ...rest,
  ...{
    metageneration: String(rest.metageneration ?? 1),
    storageClass: "STANDARD",
    timeCreated: rest.updated,
    etag: etagOf(rest),
  },
  size: String(rest.size),
});
