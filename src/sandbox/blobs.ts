import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Blobs } from "./fake.ts";

/**
 * Contents beside the state, one file each, named by what is in it: whatever two things share is kept once, and a
 * view of the past still finds what its things held. Nothing is deleted before the reset.
 */
export class BlobStore implements Blobs {
  private readonly folder: string | undefined;
  private readonly held = new Map<string, Buffer>();

  /** Without a folder they are kept in memory. */
  constructor(folder?: string) {
    this.folder = folder;
  }

  put(content: Buffer): string {
    const digest = createHash("sha256").update(content).digest("hex");
    if (!this.folder) this.held.set(digest, content);
    else if (!existsSync(join(this.folder, digest))) this.write(join(this.folder, digest), content);
    return digest;
  }

  get(digest: string): Buffer | undefined {
    if (!this.folder) return this.held.get(digest);
    const file = join(this.folder, digest);
    return existsSync(file) ? readFileSync(file) : undefined;
  }

  clear(): void {
    this.held.clear();
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }

  /** By renaming: a process that is killed leaves no file that is shorter than its name says. */
  private write(file: string, content: Buffer): void {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
