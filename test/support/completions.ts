import { execFileSync } from "node:child_process";

/** What bash offers after a line that somebody has typed, by a script of completions. */
export function bashAnswers(script: string, line: string): readonly string[] {
  const words = line.split(" ");
  const typed = words.map((word) => `"${word}"`).join(" ");
  const ask = `${script}
COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _crosstrust; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc"], { input: ask, encoding: "utf8" }).split("\n").filter(Boolean);
}
