import { setFlagsFromString } from "node:v8";
import { CommanderError } from "commander";
import { commandLine } from "./cli/program.ts";
import { codes } from "./verdict/exit.ts";

// Thousands of links make much short-lived garbage: a young generation that grows with it is a third of the memory of a
// whole health check, and buys little time (measured by `npm run bench`).
setFlagsFromString("--semi-space-growth-factor=1");

// A reader that went away (`| head`) ends the output quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// A wrong command line: commander has said what, and the contract has one code for it.
try {
  await commandLine().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : codes.usage;
}
