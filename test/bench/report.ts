import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

/** What `npm run bench` prints: ratios only, because machines differ and one run sees one machine. */
export interface Ratio {
  readonly what: string;
  /** Milliseconds of each run, in the order they were made. */
  readonly measured: readonly number[];
  /** Milliseconds of the reference, run in turn with the measured one. */
  readonly reference: readonly number[];
  /** The promise: measured / reference stays below. */
  readonly below: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** The median of the ratios pair by pair, so that a machine that slows down halfway changes little. */
export const ratioOf = ({ measured, reference }: Ratio): number =>
  median(measured.map((ms, at) => ms / (reference[at] ?? Number.NaN)));

export function print(ratios: readonly Ratio[]): boolean {
  process.stdout.write(
    `node ${process.versions.node}   ${cpus().length} cpus   ${process.platform} ${process.arch}\n\n`,
  );
  for (const ratio of ratios) {
    const { what, measured, reference, below } = ratio;
    const found = ratioOf(ratio);
    const spread = measured.map((ms, at) => (ms / (reference[at] ?? Number.NaN)).toFixed(3)).join(" ");
    process.stdout.write(
      `${found < below ? "ok  " : "slow"}  ${found.toFixed(3)} (wanted below ${below})  ${what}\n` +
        `      ${median(measured).toFixed(0)} ms against ${median(reference).toFixed(0)} ms; pairs ${spread}\n`,
    );
  }
  return ratios.every((ratio) => ratioOf(ratio) < ratio.below);
}

/** A folder for the time of some work. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
