import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** Why a file is no input, in a few words: it is read from nowhere else, so the path is the caller's to say. */
export class InputError extends Error {
  /** As the system says it, such as `ENOENT`; empty where the file is there and no input. */
  readonly code: string;

  constructor(message: string, code = "") {
    super(message);
    this.code = code;
  }
}

/**
 * Reads a regular file of at most `most` bytes. Opened without waiting and looked at before a byte is read, because a
 * pipe would wait for its writer, a device would never end, and an enormous file would take all memory. Throws an
 * `InputError`.
 */
export function readInput(path: string, most: number): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new InputError("it is a directory");
    if (!stat.isFile()) throw new InputError("it is not a regular file");
    if (stat.size > most) throw new InputError(`it has ${stat.size} bytes, and at most ${most} are read`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new InputError(wordsFor[code] ?? code, code);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const wordsFor: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is not a directory",
  EACCES: "reading it is not permitted",
  EPERM: "reading it is not permitted",
  ENXIO: "it is not a regular file",
};
