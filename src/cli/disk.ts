import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";

/** What the operating system means by each refusal of a file or folder, and what helps. */
const reasons: Readonly<Record<string, string>> = {
  EROFS: "the file system is read-only; name a folder that can be written",
  ENOSPC: "the disk is full; free some space and run it again",
  EDQUOT: "the quota of the disk is used up; free some space and run it again",
  EFBIG: "the file would be larger than the system allows",
  EACCES: "the permission is missing; change it, or name another folder",
  EPERM: "the permission is missing; change it, or name another folder",
  ENOTDIR: "a file stands where a folder is needed; move it away",
  EEXIST: "a file stands where a folder is needed; move it away",
  EISDIR: "a folder stands where a file is needed; move it away",
  ENOENT: "the folder does not exist; make it first",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine",
  EIO: "the disk gives an error",
};

/** Calls that change a file or a folder; any other one reads. */
const writes =
  /^(write|mkdir|mkdtemp|rename|link|symlink|unlink|rm|rmdir|ftruncate|truncate|chmod|fchmod|copyfile|fsync)/;

/**
 * Returns the one sentence that says why a file or a folder could not be used, wherever in the causes of an error that
 * stands; undefined where the error is about something else.
 */
export function diskTrouble(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const { syscall, path } = at as NodeJS.ErrnoException;
    const code = syscall === "mkdir" ? folderCode(at) : (at as NodeJS.ErrnoException).code;
    const reason = reasons[code ?? ""];
    if (reason === undefined || syscall === undefined || isNetwork.test(syscall)) continue;
    const verb = writes.test(syscall) || /^E(ROFS|NOSPC|DQUOT|FBIG)$/.test(code ?? "") ? "written" : "opened";
    return `${path ?? "a file"} cannot be ${verb} (${code}): ${reason}`;
  }
  return undefined;
}

/** Node says ENOENT of a folder that may not be made below one that is there: what keeps it is asked of that one. */
function folderCode({ code, path = "" }: NodeJS.ErrnoException): string | undefined {
  if (code !== "ENOENT") return code;
  let parent = dirname(path);
  while (!existsSync(parent) && parent !== dirname(parent)) parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK);
    return code;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Sockets fail with some of the same codes. */
const isNetwork = /^(connect|bind|listen|accept|getaddrinfo|send|recv|spawn)/;
