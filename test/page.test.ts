import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { healthHtml } from "../src/say/html/page.ts";
import { about, contrasts, cutOff, focused, unfold, unseenNames } from "./support/in-page.js";
import { past, troubled, well } from "./support/report.ts";
import { has, witnessed } from "./support/witness.ts";

// The page in a browser that we did not write. UPDATE=1 makes the picture of the README anew.

const artefacts = join(import.meta.dirname, "artefacts");
const test = witnessed("chromium");
let browser: Browser | undefined;
let folder = "";

beforeAll(async () => {
  if (!has("chromium")) return;
  const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  folder = mkdtempSync(join(tmpdir(), "crosstrust-page-"));
  mkdirSync(artefacts, { recursive: true });
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Opens the page as a file, as somebody who was sent it would, and notes all that it says or asks for. */
async function open(options: BrowserContextOptions, text = healthHtml(troubled, past)) {
  const file = join(folder, `${Math.random()}.html`);
  writeFileSync(file, text);
  const page = await (browser as Browser).newPage(options);
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => said.push(request.url()));
  const url = pathToFileURL(file).href;
  await page.goto(url);
  return { page, said: () => said.filter((one) => one !== url) };
}

/** No font of this machine, no clock, nothing that differs: the same picture each time. */
const keep = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true });

const desk = { width: 1200, height: 900 };
const phone = { width: 390, height: 844 };

describe("the report in a browser", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, viewport] of [
      ["desk", desk],
      ["phone", phone],
    ] as const) {
      test(`${colorScheme}, ${name}: all text can be read, nothing is loaded, nothing hangs over`, async () => {
        const { page, said } = await open({ colorScheme, viewport });
        await page.evaluate(unfold);
        const poor = (await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5);
        expect(poor).toEqual([]);
        expect((await page.evaluate(about)).width).toBeLessThanOrEqual(viewport.width);
        expect(await page.evaluate(cutOff)).toEqual([]);
        // Catches a rule for the list that takes the names out of the drawing.
        expect(await page.evaluate(unseenNames)).toEqual([]);
        expect(said()).toEqual([]);
        await keep(page, `${colorScheme}-${name}`);
        await page.close();
      });
    }
  }

  test("the measure of contrast finds grey on grey", async () => {
    const text = healthHtml(well).replace("</style>", ".lede{color:#999;background:#aaa}</style>");
    const { page } = await open({ viewport: desk }, text);
    expect((await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5).length).toBeGreaterThan(0);
    await page.close();
  });

  test("with the keyboard alone: the skip link, then every summary and link, each seen to be there", async () => {
    const { page } = await open({ viewport: desk });
    const stops: string[] = [];
    for (let at = 0; at < 40; at++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(focused);
      if (stop === undefined) break;
      stops.push(stop);
    }
    expect(stops[0]).toBe("seen A to the links");
    expect(stops.filter((stop) => stop.startsWith("UNSEEN"))).toEqual([]);
    const summaries = await page.locator("summary").count();
    expect(stops.filter((stop) => stop.includes(" SUMMARY "))).toHaveLength(summaries);
    const last = page.locator("details.link").last();
    await last.locator("summary").focus();
    expect(await last.getAttribute("open")).toBeNull();
    await page.keyboard.press("Enter");
    expect(await last.getAttribute("open")).not.toBeNull();
    await page.close();
  });

  test("a reader that sees nothing is told the verdict, the drawing in words, and the tables", async () => {
    const { page } = await open({ viewport: phone });
    const tree = await page.locator("body").ariaSnapshot();
    for (const word of [
      'heading "open" [level=1]',
      'heading "links" [level=2]',
      "reports@acme-prod, vouched for by accounts.google.com",
      'columnheader "how it went"',
      'rowheader "exchange"',
      "last 28 checks: 3 open, 2 drifted, 23 works",
    ])
      expect(tree).toContain(word);
    const { headings, language, title } = await page.evaluate(about);
    expect(headings[0]).toBe("H1");
    expect(headings.filter((level) => level === "H1")).toHaveLength(1);
    expect([language, title]).toEqual(["en", "open · acme · crosstrust health"]);
    await page.close();
  });

  test("on paper everything is unfolded, dark on white", async () => {
    const { page } = await open({ viewport: desk, colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const seen = page.locator("details:not([open]) .body").first();
    expect((await seen.boundingBox())?.height).toBeGreaterThan(20);
    expect((await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    expect((await page.evaluate(about)).ground).toBe("rgb(255, 255, 255)");
    await page.pdf({ path: join(artefacts, "report.pdf"), format: "A4" });
    await page.close();
  });

  test("when all is well it says so, and the picture of the README is of this page", async () => {
    const { page, said } = await open({ viewport: desk }, healthHtml(well));
    expect(await page.locator("h1").innerText()).toContain("works");
    expect(said()).toEqual([]);
    await keep(page, "well");
    await page.close();
    const picture = join(import.meta.dirname, "..", "docs", "report.png");
    if (process.env.UPDATE === "1") {
      const { page: shown } = await open({ viewport: { width: 1200, height: 1000 }, colorScheme: "light" });
      await shown.screenshot({ path: picture });
      await shown.close();
    }
    expect(statSync(picture).size).toBeLessThanOrEqual(150 * 1024);
  });
});
