import { z } from "zod";
import { type Health, type LinkHealth, type Memory, verdicts } from "../model.ts";

const verdict = z.enum(verdicts);
const time = z.iso.datetime();
const cause = z.object({ what: z.string(), where: z.string() });
const alert = z.object({
  ...{ id: z.string(), cause, severity: z.enum(["error", "security"]), links: z.array(z.string()), since: time },
  of: z.array(z.string()).exactOptional(),
  shows: z.array(z.string()).exactOptional(),
});
const link = z.object({
  ...{ verdict, since: time, told: z.object({ at: time, verdict, causes: z.array(cause) }) },
  good: z.object({ at: time, fingerprint: z.string() }).exactOptional(),
  history: z.array(verdict),
});
const memory: z.ZodType<Memory> = z.object({
  ...{ at: time, every: z.number().positive(), links: z.record(z.string(), link), alerts: z.array(alert) },
  noted: z.record(z.string(), z.array(z.string())).exactOptional(),
  outbox: z.array(
    z.object({
      ...{ state: z.enum(["opened", "grew", "closed"]), alert, at: time },
      to: z.array(z.enum(["log", "webhook"])),
    }),
  ),
});

/** Another version's memory, or a broken one, is none: it costs one confirmation, and no verdict. */
export function recalled(text: string | undefined): Memory | undefined {
  try {
    return text === undefined ? undefined : memory.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The report with what is remembered written beside each verdict: since when, and when it last fared well. */
export function dated(health: Health, { links }: Memory): Health {
  const one = (line: LinkHealth): LinkHealth => {
    const held = links[line.link];
    if (!held) return line;
    const since = line.verdict === held.verdict ? held.since : health.at;
    const known = line.verdict === "unknown" ? {} : { since };
    return { ...line, ...known, ...(held.good ? { lastGood: held.good.at } : {}) };
  };
  return { ...health, links: health.links.map(one) };
}
