import { manyLinks } from "../support/bench.ts";
import { Somebody } from "../support/somebody.ts";
import { type Figure, mixed, withBench } from "./figures.ts";

const count = 1000;
/** Every twentieth link is truly broken: somebody has changed whom its role believes. */
const isBroken = (at: number): boolean => at % 20 === 7;

/**
 * Figure F5 of reliability-and-security.md, 5: a large health check while one call in five goes wrong. Catches a program
 * that takes a passing fault for a broken link, or a retry that happens to succeed for a proof.
 */
export async function truth(seed: number): Promise<Figure> {
  return withBench(async (b) => {
    const text = manyLinks(count);
    await b.apply(text);
    const somebody = new Somebody(b);
    const wrong = { StringEquals: { "accounts.google.com:sub": "1", "accounts.google.com:oaud": "x" } };
    for (let at = 0; at < count; at++) if (isBroken(at)) await somebody.trust(wrong, `role-${at}`);
    b.haste = 500;
    b.limits = { connect: 1000, firstByte: 1000, idle: 500, whole: 3000, bytes: 4 * 1024 * 1024 };
    b.sandbox.faults.set(mixed(seed));
    const { links } = await b.health(text);
    const broken = new Set(links.flatMap(({ link }) => (isBroken(Number(link.split("-")[1])) ? [link] : [])));
    const works = links.filter(({ link, verdict }) => verdict === "works" && broken.has(link)).length;
    const false_ = links.filter(
      ({ link, verdict }) => ["broken", "open"].includes(verdict) && !broken.has(link),
    ).length;
    const unknown = links.filter(({ verdict }) => verdict === "unknown").length;
    return {
      name: `health of ${count} links while one call in five goes wrong, one link in twenty truly broken`,
      target: "none falsely said to work, none falsely broken, unknown below 2 %",
      measured: `${works} falsely working, ${false_} falsely broken, ${((unknown / count) * 100).toFixed(1)} % unknown`,
      good: works === 0 && false_ === 0 && unknown / count < 0.02,
    };
  });
}
