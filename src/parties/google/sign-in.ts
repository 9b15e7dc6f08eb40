import type { Finding, Issuer, Link } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { issuer } from "./claims.ts";
import { decode } from "./mint.ts";
import { signInOf } from "./shape.ts";

/**
 * People and apps that sign in with Google, Workspace included: no service account and nothing to make. Their ID token
 * has the OAuth client id as `azp` and `aud` (google.md 4; aws.md 3.1), which AWS reads as `accounts.google.com:aud`.
 */
export const signIn: Issuer = {
  identify(link) {
    const { clientId, subject } = signInOf(link);
    return {
      identity: { proof: "oidc", issuer, claims: { sub: subject, aud: link.audience, azp: clientId } },
      resources: [],
    };
  },
  /** Nobody can sign in for a person; in the sandbox any workload may be acted as (contract, section 5). */
  async mint({ link, audience }, world) {
    const { clientId, subject } = signInOf(link);
    if (!world.sandbox) {
      const message = "a person signs in there, and no program can";
      throw new CloudError({
        class: "refused",
        service: "google",
        operation: "SignIn",
        code: "CANNOT-MINT",
        status: 0,
        message,
      });
    }
    const azp = audience === link.audience ? clientId : audience;
    return decode(await world.sandbox.mint(issuer, { sub: subject, aud: audience, azp }), "sandbox");
  },
  explainMint: ({ link }, error) =>
    error instanceof CloudError && error.code === "CANNOT-MINT" ? cannotMint(link) : undefined,
  grantMint: async () => undefined,
  recallGrant: async () => [],
};

const cannotMint = (link: Link): Finding => ({
  ...{ code: "CANNOT-MINT", severity: "error", asks: "untold", links: [link.name], because: [] },
  at: { place: link.at("from.google") },
  says: "people sign in there with Google, so no program can have a token and prove this link",
  fix: ["prove: judge on the link: drift is checked, and the live trust is judged"],
});
