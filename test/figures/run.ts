import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { deployments } from "./deployments.ts";
import { faulted } from "./faulted.ts";
import { concurrency, crash, crashes, divided, emptyPlans, grants, outage, storm, tokens } from "./figures.ts";
import { month } from "./month.ts";
import { truth } from "./truth.ts";
import { worldsToAws, worldsToGoogle } from "./worlds.ts";

// `npm run figures`: how reliable it is, as numbers, from one seed. Writes docs/figures.md; nobody types them by hand.

const seed = Number(process.env.SEED ?? 12345);
const figures = [
  ...[
    crash,
    crashes,
    grants,
    deployments,
    emptyPlans,
    storm,
    tokens,
    concurrency,
    outage,
    truth,
    divided,
    month,
    faulted,
  ],
  ...[worldsToAws, worldsToGoogle],
];
/** `npm run figures -- month faulted` makes these alone, and leaves the page as it is. */
const only = process.argv.slice(2);
const unknown = only.filter((name) => !figures.some((figure) => figure.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no figure is called ${unknown.join(", ")}: ${figures.map(({ name }) => name).join(", ")}\n`);
  process.exit(64);
}
const rows: string[] = [];

for (const figure of figures.filter(({ name }) => only.length === 0 || only.includes(name))) {
  const start = performance.now();
  const { name, target, measured, good } = await figure(seed).catch((error: unknown) => ({
    name: figure.name,
    target: "it is measured",
    measured: `not measured: ${error instanceof Error ? error.message : String(error)}`,
    good: false,
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  process.stdout.write(`${good ? "ok  " : "FAIL"}  ${name}: ${measured}   (${seconds} s)\n`);
  rows.push(`| ${name} | ${target} | ${measured} |`);
  if (!good) process.exitCode = 1;
}

const page = `# Figures

Written by \`npm run figures\`, never by hand. Seed ${seed}, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node},
${cpus().length} CPUs, ${process.platform} ${process.arch}, all of it offline against the sandbox.

| what | target | measured |
|---|---|---|
${rows.join("\n")}
`;
if (only.length === 0) writeFileSync(join(import.meta.dirname, "..", "..", "docs", "figures.md"), page);
