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
const rows: string[] = [];

for (const figure of figures) {
  const start = performance.now();
  const { name, target, measured, good } = await figure(seed);
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
writeFileSync(join(import.meta.dirname, "..", "..", "docs", "figures.md"), page);
