import type { Link } from "../../src/model.ts";
import { parties } from "../../src/parties/index.ts";
import { CloudError } from "../../src/run/retry.ts";
import { type Bench, federationOf } from "./bench.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Whether a token gets what a link grants: `yes`, or the codes by which it is refused. The first link, unless it is named. */
export async function gets(b: Bench, text: string, claims: Claims, name?: string): Promise<string> {
  const { links } = federationOf(text);
  const link = links.find((one) => one.name === name) ?? links[0];
  if (!link) throw new Error("no link");
  // The sandbox hosts an issuer under the file's name or under its own, and each of them signs with keys of its own.
  const signers = new Set([String(link.from.spec.issuer ?? claims.iss), String(claims.iss)]);
  const outcomes = await Promise.all([...signers].map((signer) => exchanged(b, link, { signer, claims })));
  return outcomes.find((one) => one === "yes") ?? outcomes.join(", ");
}

async function exchanged(b: Bench, link: Link, { signer, claims }: { signer: string; claims: Claims }) {
  const relying = parties.find(({ name }) => name === link.to.party)?.relying;
  const world = b.world();
  const ask = { link, purpose: "use" } as const;
  try {
    const token = (await world.sandbox?.mint(signer, claims)) ?? "";
    const session = await relying?.exchange(ask, { text: token, claims, header: {}, mintedBy: "sandbox" }, world);
    if (!session) return "no session";
    await relying?.whoami(session, ask, world);
    return "yes";
  } catch (error) {
    if (error instanceof CloudError) return error.code;
    throw error;
  }
}
