import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import { parties, shapes } from "../src/parties/index.ts";
import { agrees, type Block, blocksOf, clone, Session, stepsOf } from "./support/page.ts";
import { witnessed } from "./support/witness.ts";

// Docs cannot lie: every console block of README and docs is typed and compared. UPDATE=1 writes what came instead,
// except below a line of dots.

const root = join(import.meta.dirname, "..");
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root }).sort()];
const read = (page: string): string => readFileSync(join(root, page), "utf8");
const blocks = (kind: string): readonly (readonly [string, Block])[] =>
  pages.flatMap((page) =>
    blocksOf(read(page)).flatMap((block) => (block.kind === kind ? [[page, block] as const] : [])),
  );

/** Other people's programs that a page types. */
const typedBy = (page: string): readonly string[] => {
  const typed = blocksOf(read(page)).flatMap(({ kind, text }) => (kind === "console" ? stepsOf(text) : []));
  return ["aws", "gcloud", "jq", "curl"].filter((program) =>
    typed.some(({ command }) => new RegExp(`(^|[|;]|-- |')\\s*${program} `, "m").test(command)),
  );
};

describe("what the pages show is what the program says", () => {
  for (const page of pages.filter((each) => read(each).includes("```console"))) {
    witnessed(...typedBy(page))(page, () => typeAndCompare(page));
  }

  test("what a page needs of other people's programs is seen", () => {
    expect(typedBy("docs/sandbox.md")).toEqual(["aws", "gcloud", "jq", "curl"]);
    expect(typedBy("README.md")).toEqual(["aws"]);
  });

  test("a page that lies is caught", () => {
    expect(agrees("1 works\n...\nexit 0", "1 works\nand more\nexit 0")).toBe(true);
    expect(agrees("1 works", "1 broken")).toBe(false);
    expect(agrees("done in 5 ms", "done in 7 ms")).toBe(true);
    expect(agrees("done.", "done!")).toBe(false);
  });
});

async function typeAndCompare(page: string): Promise<void> {
  const session = new Session(clone());
  const text = read(page);
  let [said, from] = ["", 0];
  for (const { command, shown } of blocksOf(text).flatMap((block) =>
    block.kind === "console" ? stepsOf(block.text) : [],
  )) {
    const came = await session.run(command);
    const typed = `$ ${command.replaceAll("\n", "\n> ")}\n`;
    const start = text.indexOf(typed, from) + typed.length;
    const end = text.indexOf(shown, start) + shown.length;
    const fine = agrees(shown, came);
    if (!fine && (process.env.UPDATE !== "1" || /^\.\.\.$/m.test(shown)))
      expect(came, `${page}: $ ${command}`).toBe(shown);
    said += text.slice(from, start) + (fine ? shown : came + (shown ? "" : "\n"));
    from = end;
  }
  if (said + text.slice(from) !== text) writeFileSync(join(root, page), said + text.slice(from));
}

describe("what the pages show and cannot be run here", () => {
  const words = blocks("sh").flatMap(([page, { text }]) =>
    text.split("\n").flatMap((line) => {
      const call = /(?:^|\s)(?:npx )?crosstrust ((?:sandbox )?[a-z-]+)(.*)$/.exec(line);
      return call ? [[page, call[1] ?? "", (call[2] ?? "").split(" -- ")[0] ?? ""] as const] : [];
    }),
  );

  const helps = new Map<string, string>();
  const helpOf = (command: string): string => {
    const words = [join(root, "src", "cli.ts"), ...command.split(" ").filter(Boolean), "--help"];
    const text = helps.get(command) ?? execFileSync(process.execPath, words, { encoding: "utf8" });
    helps.set(command, text);
    return text;
  };

  test.skipIf(words.length === 0).each(words)("%s: crosstrust %s is a command with these flags", (_, command, rest) => {
    const known = helpOf("") + helpOf(command);
    for (const flag of rest.match(/--[a-z-]+/g) ?? []) expect(known).toContain(flag);
  });

  // Catches a fix that names an option which the command does not have.
  test("every flag that a text of the program names is one of its command", () => {
    const texts = globSync("{src,scripts}/**/*.{ts,md}", { cwd: root }).map((file) => [file, read(file)] as const);
    const typed = texts.flatMap(([file, text]) =>
      [...text.matchAll(/crosstrust ((?:sandbox )?[a-z-]+)((?: (?:--)?[\w${}.:/-]+)*)/g)].map(
        ([, command = "", rest = ""]) => ({ file, command, flags: rest.match(/--[a-z-]+/g) ?? [] }),
      ),
    );
    const wrong = typed
      .filter(({ flags }) => flags.length > 0)
      .flatMap(({ file, command, flags }) =>
        flags
          .filter((flag) => !(helpOf("") + helpOf(command)).includes(flag))
          .map((flag) => `${file}: ${command} ${flag}`),
      );
    expect(typed.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  test("every npm script that is named exists", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = pages.flatMap((page) => [...read(page).matchAll(/npm run ([a-z-]+)/g)].map(([, name]) => name ?? ""));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("every federation file shown is one, without errors", () => {
    const files = blocks("yaml").filter(([, { text }]) => /^crosstrust: 1/m.test(text));
    expect(files.length).toBeGreaterThan(0);
    for (const [page, { text, line }] of files) {
      const { federation, findings } = readFederation(page, Buffer.from(text), shapes);
      const linted = federation ? lintFile({ federation, parties, allowPrivileged: [], maxLinks: 1000 }) : findings;
      expect([page, line, linted.filter(({ severity }) => severity === "error")]).toEqual([page, line, []]);
    }
  });

  test("every link between pages leads somewhere", () => {
    for (const page of pages) {
      for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g))
        expect([page, target, existsSync(join(root, dirname(page), target))]).toEqual([page, target, true]);
    }
  });
});
