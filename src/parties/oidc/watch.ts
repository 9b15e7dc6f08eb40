import { createHash } from "node:crypto";
import { z } from "zod";
import type { Address, Code, Finding, Live, LivePresent, World } from "../../model.ts";

/** What the last health check saw of an issuer; losing it costs one comparison and no verdict. */
const memory = z.object({ kids: z.array(z.string()), served: z.string(), at: z.string() });
type Memory = z.infer<typeof memory>;

const day = 86_400_000;
/** Days before the end of a certificate in which there is still time to do something without haste. */
const soon = 21;

/**
 * What became of each issuer since the last health check: keys that came and went, other certificates, how long they
 * still hold, whether the thumbprint that was written is still served. Only health remembers, so that a plan in between
 * does not swallow the news.
 */
export async function watch(live: ReadonlyMap<Address, Live>, world: World): Promise<readonly Finding[]> {
  const issuers = [...live].flatMap(([address, one]) =>
    address.startsWith("oidc:issuer/") && one.state === "present" ? [{ address, live: one }] : [],
  );
  const found = await Promise.all(issuers.map((issuer) => watchOne(issuer, world)));
  return found.flat();
}

interface Seen {
  readonly address: Address;
  readonly live: LivePresent;
}

async function watchOne({ address, live }: Seen, world: World): Promise<readonly Finding[]> {
  const url = String(live.spec.url);
  const name = `issuer-${createHash("sha256").update(url).digest("hex").slice(0, 24)}`;
  const now: Memory = {
    kids: (live.outputs.kids ?? "").split(" ").filter(Boolean),
    served: live.outputs.served ?? "",
    at: new Date(world.clock.now()).toISOString(),
  };
  // A store that does not answer costs the news, and no verdict.
  const before = remembered(await world.store.read(name).catch(() => undefined));
  await world.store.write(name, JSON.stringify(now)).catch(() => {});
  const days = Math.floor((Date.parse(live.outputs.ends ?? "") - world.clock.now()) / day);
  return [
    reachable(url, { keys: now.kids.length, days }),
    ...(before ? keysChanged(url, before, now) : []),
    ...(before && before.served !== now.served ? [certificateChanged(url, before, live)] : []),
    ...staleThumbprint(url, live),
  ].map((finding) => ({ ...finding, at: { address } }));
}

/** Another version's memory, or a broken one, is none. */
function remembered(text: string | undefined): Memory | undefined {
  try {
    return text === undefined ? undefined : memory.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const said = (code: Code, severity: Finding["severity"], says: string): Finding => ({
  ...{ code, severity, at: {}, says, because: [], fix: [] },
});

/** What is so in every run until somebody changes it. */
const standing = (code: Code, says: string): Finding => ({ ...said(code, "hint", says), standing: true });

function reachable(url: string, { keys, days }: { keys: number; days: number }): Finding {
  const count = `${keys} ${keys === 1 ? "key" : "keys"}`;
  if (days > soon) return standing("ISSUER-SEEN", `${url} answers: ${count}, certificates for ${days} more days`);
  const says = days < 0 ? `its certificate ended ${-days} days ago` : `its certificate ends in ${days} days`;
  const fix = ["renew it on the issuer's side; where aws knows it by its thumbprint, crosstrust apply afterwards"];
  return { ...said("ISSUER-CERTIFICATE-ENDS", "warning", `${url}: ${says}`), fix };
}

/** Rotation is healthy; a whole set replaced at once is how tokens in flight get refused. */
function keysChanged(url: string, before: Memory, now: Memory): readonly Finding[] {
  const added = now.kids.filter((kid) => !before.kids.includes(kid));
  const gone = before.kids.filter((kid) => !now.kids.includes(kid));
  if (added.length + gone.length === 0) return [];
  const all = gone.length === before.kids.length && gone.length > 0;
  const parts = [
    ...(added.length > 0 ? [`added ${added.map(short).join(", ")}`] : []),
    ...(gone.length > 0 ? [`gone ${gone.map(short).join(", ")}`] : []),
  ];
  const says = `${url}: keys ${parts.join("; ")}, since ${before.at.slice(0, 16)}${all ? "; none of the old ones is left" : ""}`;
  return [said("ISSUER-KEYS-CHANGED", all ? "warning" : "hint", says)];
}

const short = (kid: string): string => (kid.length > 24 ? `${kid.slice(0, 23)}…` : kid);

const certificateChanged = (url: string, before: Memory, { outputs }: LivePresent): Finding =>
  said(
    "ISSUER-CERTIFICATE-CHANGED",
    outputs.vouched === "true" ? "hint" : "warning",
    `${url}: other certificates than at ${before.at.slice(0, 16)}; the thumbprint served now is ${outputs.served}`,
  );

/** Only where public CAs vouch: else the same is a plan's business, and called moved. */
function staleThumbprint(url: string, { outputs }: LivePresent): readonly Finding[] {
  if (outputs.vouched !== "true" || outputs.thumbprints === outputs.served) return [];
  const says = `${url}: the thumbprint in aws is not the one that is served any more; aws does not use it`;
  return [standing("THUMBPRINT-STALE", says)];
}
