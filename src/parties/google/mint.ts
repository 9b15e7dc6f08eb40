import { z } from "zod";
import type { MintAsk, Token, World } from "../../model.ts";
import { decodePart, metadataIdentity, type NoToken } from "../../run/minting.ts";
import { CloudError } from "../../run/retry.ts";
import { google } from "./client.ts";
import { type ServiceAccountName, serviceAccountOf } from "./shape.ts";

/**
 * An ID token of the link's service account: from the metadata server where this program runs as that
 * account, else by IAM Credentials `generateIdToken` (contract, section 7). Both put the unique id into
 * `azp`, unlike Node's own `fetchIdToken` (google.md, trap 1), so one trust policy holds for both. A second
 * token harms nobody: effect `read`.
 */
export async function mint(ask: MintAsk, world: World): Promise<Token> {
  const account = serviceAccountOf(ask.link);
  if (await runsAs(account, world)) return decode(await fromMetadata(ask.audience, world), "metadata");
  const answer = await google(world, {
    service: "google.iamcredentials",
    operation: "GenerateIdToken",
    effect: "read",
    method: "POST",
    // The project wildcard is mandatory here (google.md 2).
    path: `/v1/projects/-/serviceAccounts/${account.email}:generateIdToken`,
    project: account.project,
    body: { audience: ask.audience, includeEmail: true },
    answer: z.object({ token: z.string().min(1) }),
  });
  return decode(answer.token, "iamcredentials");
}

/** Only on Google's own machines, which say so in the environment; anywhere else nobody is asked. */
async function runsAs(account: ServiceAccountName, world: World): Promise<boolean> {
  const session = await world.credentials({ party: "google", scope: account.project });
  return session.about?.source === "metadata" && session.principal === account.email;
}

/** `format=full`, or the e-mail is missing (google.md, trap 2). */
const fromMetadata = (audience: string, world: World): Promise<string> =>
  metadataIdentity({ audience, format: "full" }, noToken, world);

const noToken: NoToken = (status) => ({
  class: status === 200 ? "malformed" : status >= 500 ? "transient" : "refused",
  message: "the metadata server gave no identity token",
});

/** Claims and header of a token we asked for ourselves; whoever receives it verifies it. */
export function decode(text: string, mintedBy: string): Token {
  const [header, claims] = text.split(".").slice(0, 2).map(decodePart);
  if (header && claims) return { text, header, claims, mintedBy };
  const what =
    mintedBy === "metadata" ? ["google.metadata", "GetIdentity"] : ["google.iamcredentials", "GenerateIdToken"];
  const [service = "", operation = ""] = what;
  const message = "what was minted is not a JSON web token";
  throw new CloudError({ class: "malformed", service, operation, code: "", status: 200, message });
}
