import type { Issuer, Link, Party } from "../../model.ts";
import { mintEffects } from "../../run/minting.ts";
import { identityOf } from "./claims.ts";
import { explainMint } from "./explain.ts";
import { lint } from "./lint.ts";
import { messages } from "./messages.ts";
import { mint } from "./mint.ts";
import { from, sourceOf } from "./shape.ts";

/** Nobody is given a right here: what may mint is said by Azure or by the file. */
const issuer: Issuer = {
  identify: identityOf,
  mint,
  explainMint,
  grantMint: async () => undefined,
  recallGrant: async () => [],
};

/** Microsoft Entra ID as a party: here it only issues, and its workloads are used, never made. */
export const entra: Party = {
  name: "entra",
  messages,
  issuer,
  kinds: [],
  title,
  lint,
  reach: async () => [],
  preflight: async () => [],
  nextSteps,
  effects: (link, side) => (side === "from" ? mintEffects(sourceOf(link).mint, destinations(link)) : []),
};

/** Who is given a link's token, and whatever it is minted with. */
const destinations = ({ from, to }: Link) => ({
  token: `${to.party} ${String(to.spec.account ?? to.spec.project)}`,
  endpoint: `login.microsoftonline.com/${String(from.spec.tenant)}`,
});

/** Entra decides the audience of its tokens by the application alone. */
export const shape = {
  party: "entra",
  from,
  audience: ({ application }: Readonly<Record<string, unknown>>) => String(application),
};

/** First groups of both GUIDs, such as `9f3c1e2a@72f988bf`; of a long subject the first of its last part. */
function title(link: Link): string {
  const { subject, tenant } = sourceOf(link);
  const short = (id: string): string => id.split("/").at(-1)?.split("-")[0] ?? id;
  return `${short(subject)}@${short(tenant)}`;
}

/** The workload's side, for people (entra.md 8.2): nothing in Azure is touched from here. */
function nextSteps(link: Link): readonly string[] {
  const { application, subject, tokenVersion } = sourceOf(link);
  const wants = tokenVersion === "2" ? "2" : "1 or null";
  return [
    `on a virtual machine   az vm identity assign -g GROUP -n VM --identities IDENTITY    (principalId ${subject})`,
    "on app service         az webapp identity assign -g GROUP -n APP",
    `the application        az ad app show --id ${application} --query api.requestedAccessTokenVersion    (${wants})`,
    `in the workload        curl -s -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(application)}"`,
  ];
}
