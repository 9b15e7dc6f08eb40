import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { createInterface } from "node:readline";
import {
  type FakeAnswer,
  type FakeRequest,
  type Program,
  ProgramGone,
  type ProgramSpec,
  type Programs,
} from "./fake.ts";

/** A process and what is going on in it. */
interface Running {
  readonly version: string;
  readonly child: ChildProcess;
  readonly folder: string;
  /** Rejects with `ProgramGone` where it ends before it listens. */
  readonly port: Promise<number>;
  /** Resolves when it has ended and its folder is gone. */
  readonly ended: Promise<void>;
  requests: number;
  /** Milliseconds that its clock is known to be ahead of this machine's. */
  clock: number;
  /** While it is being told another time. */
  telling: Promise<void> | undefined;
  /** To be ended with its last request. */
  retired: boolean;
}

/**
 * One process for each program that was asked for something, and none that outlives the sandbox: it ends itself when
 * the channel to this process closes, however this process went.
 */
export class ProgramRunner implements Programs {
  private readonly folder: string | undefined;
  private readonly running = new Map<string, Running>();
  private readonly all = new Set<Running>();
  /** Milliseconds that the sandbox's clock is ahead of this machine's. */
  private clock = 0;

  /** Where programs are unpacked; without one in the system's folder for temporary files. */
  constructor(folder?: string) {
    this.folder = folder;
  }

  async request(program: Program, request: FakeRequest): Promise<FakeAnswer> {
    const running = this.started(program);
    running.requests += 1;
    const signal = AbortSignal.timeout(program.deadline);
    try {
      const port = await Promise.race([running.port, late(signal)]);
      await Promise.race([this.tell(running), late(signal), running.ended]);
      return await Promise.race([passedOn(request, port, signal), running.ended.then(gone)]);
    } catch (error) {
      if (signal.aborted) throw new ProgramGone("deadline", "the program takes too long");
      // A broken connection is most often the first sign of a process that ends.
      if (!(error instanceof ProgramGone)) throw new ProgramGone("exit", String(error));
      throw error;
    } finally {
      running.requests -= 1;
      if (running.retired && running.requests === 0) running.child.kill("SIGKILL");
    }
  }

  /** Programs that run see the new time at once, and before their next request in any case. */
  setClock(milliseconds: number): void {
    if (milliseconds === this.clock) return;
    this.clock = milliseconds;
    for (const running of this.all) void this.tell(running);
  }

  /** Resolves when the program has the time of the sandbox. One that has ended needs none. */
  private tell(running: Running): Promise<void> {
    running.telling ??= this.untilTold(running).finally(() => {
      running.telling = undefined;
    });
    return running.telling;
  }

  private async untilTold(running: Running): Promise<void> {
    const { child } = running;
    while (running.clock !== this.clock && child.connected) {
      const { clock } = this;
      await answered(child, clock);
      running.clock = clock;
    }
  }

  end(key: string): void {
    const running = this.running.get(key);
    this.running.delete(key);
    if (!running) return;
    running.retired = true;
    if (running.requests === 0) running.child.kill("SIGKILL");
  }

  endAll(): void {
    this.running.clear();
    for (const { child } of this.all) child.kill("SIGKILL");
  }

  /** Ends all, and waits until no process and no folder of theirs is left. */
  async close(): Promise<void> {
    this.endAll();
    await Promise.all([...this.all].map(({ ended }) => ended));
  }

  /** The process ids, by key. */
  get pids(): ReadonlyMap<string, number | undefined> {
    return new Map([...this.running].map(([key, { child }]) => [key, child.pid]));
  }

  private started(program: Program): Running {
    const { key, version } = program;
    const known = this.running.get(key);
    if (known?.version === version) return known;
    this.end(key);
    const running = this.start(program);
    this.running.set(key, running);
    this.all.add(running);
    running.ended.then(() => {
      this.all.delete(running);
      if (this.running.get(key) === running) this.running.delete(key);
    });
    return running;
  }

  private start({ key, version, prepare, said }: Program): Running {
    const spec = prepare();
    const folder = this.folderFor(`${key} ${version}`);
    unpack(folder, spec);
    const child = spawn(process.execPath, ["--input-type=module", "-e", leash + clockOf(this.clock) + spec.code], {
      cwd: folder,
      env: { ...spec.env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const ended = new Promise<void>((done) => child.once("close", () => done())).then(() =>
      rmSync(folder, { recursive: true, force: true }),
    );
    for (const stream of ["stdout", "stderr"] as const) {
      const input = child[stream];
      if (input) createInterface({ input }).on("line", (line) => this.holds(child) && said(line, stream));
    }
    const port = new Promise<number>((found, lost) => {
      child.on("message", (message: { port?: number }) => message.port !== undefined && found(message.port));
      child.once("close", (code) =>
        lost(new ProgramGone("start", `the program ended with ${code} before it listened`)),
      );
      child.once("error", (error) => lost(new ProgramGone("start", String(error))));
    });
    // Nobody may be waiting for it when it ends.
    port.catch(() => {});
    return { version, child, folder, port, ended, requests: 0, clock: this.clock, telling: undefined, retired: false };
  }

  /** A line that comes after a reset belongs to what is gone. */
  private holds(child: ChildProcess): boolean {
    return !child.killed;
  }

  private folderFor(name: string): string {
    if (!this.folder) return mkdtempSync(join(tmpdir(), "crosstrust-program-"));
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return mkdtempSync(join(this.folder, `${createHash("sha256").update(name).digest("hex").slice(0, 12)}-`));
  }
}

/** In front of every program: it must not outlive us nor leave its folder, and a crash of ours says no goodbye. */
const leash = `process.on("disconnect", () => {
  process.getBuiltinModule("node:fs").rmSync(process.cwd(), { recursive: true, force: true });
  process.exit(0);
});
`;

/** Sends a program the time, and resolves when it says that it has it, or has ended. */
function answered(child: ChildProcess, clock: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      child.off("message", heard);
      child.off("disconnect", done);
      resolve();
    };
    const heard = (message: { clock?: number }) => message.clock === clock && done();
    child.on("message", heard);
    child.once("disconnect", done);
    child.send({ clock }, (error) => error && done());
  });
}

/**
 * The program's own clock is the sandbox's, as a machine of a cloud has the cloud's. What measures time, such as a timer, and
 * what checks certificates goes on by this machine's.
 */
const clockOf = (ahead: number): string => `{
  const Real = Date;
  let ahead = ${ahead};
  const now = () => Real.now() + ahead;
  globalThis.Date = new Proxy(Real, {
    construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
    apply: () => new Real(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  Real.prototype.constructor = globalThis.Date;
  process.on("message", ({ clock }) => {
    if (clock === undefined) return;
    ahead = clock;
    process.send({ clock });
  });
}
`;

function unpack(folder: string, { files, links }: ProgramSpec): void {
  const inside = (path: string): string => {
    const full = resolve(folder, path);
    if (!full.startsWith(folder + sep)) throw new Error(`${path} leads out of the program's folder`);
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
    return full;
  };
  for (const [path, content] of files) writeFileSync(inside(path), content, { mode: 0o600 });
  for (const [path, target] of Object.entries(links)) symlinkSync(target, inside(path));
}

const gone = (): never => {
  throw new ProgramGone("exit", "the program ended while it worked");
};

const late = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

/** What holds for one connection only, and must not be told to the next. */
const hopByHop = ["connection", "keep-alive", "transfer-encoding", "content-length", "date", "proxy-connection"];

const passable = (headers: http.IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !hopByHop.includes(name))
      .map(([name, value]) => [name, String(value)]),
  );

function passedOn(request: FakeRequest, port: number, signal: AbortSignal): Promise<FakeAnswer> {
  const query = request.query.toString();
  const path = `${request.path}${query ? `?${query}` : ""}`;
  const headers = { ...passable(request.headers), host: request.host, "content-length": request.body.length };
  return new Promise((resolve, reject) => {
    const call = http.request({ host: "127.0.0.1", port, method: request.method, path, headers, signal, agent: false });
    call.once("error", reject);
    call.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({
          status: answer.statusCode ?? 502,
          headers: passable(answer.headers),
          body: Buffer.concat(chunks),
        }),
      );
    });
    call.end(request.body);
  });
}
