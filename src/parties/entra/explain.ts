import type { Finding, MintAsk } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { own } from "./mint.ts";
import { type Source, sourceOf } from "./shape.ts";

type Cause = Pick<Finding, "code" | "asks" | "says" | "fix">;

/** Why no token came, in words; undefined where the kind of error says it all. */
export function explainMint({ link }: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const cause = causeOf(sourceOf(link), error);
  const at = { place: link.at("from.entra") };
  return cause && { severity: "error", at, links: [link.name], because: [], ...cause };
}

function causeOf(source: Source, error: CloudError): Cause | undefined {
  if (error.code === own.nothingMints) {
    const says = "nothing here can mint for this link: this is no machine of azure, and the file has no mint";
    const fix = [
      "prove: judge    (on the link: its trust is judged, and the verdict is unproved)",
      "mint: { tokenFile: PATH } or { command: [ ... ] } or { clientCredentials: ... }    (below from.entra)",
    ];
    return { code: "CANNOT-MINT", asks: "untold", says, fix };
  }
  if (error.code === own.otherIssuer || error.code === own.otherToken) {
    // Tokens of another version are what the workload itself will get; another subject is only this machine's.
    const asks = error.code === own.otherIssuer ? "broken" : "untold";
    const fix = [`tokenVersion, tenant and subject in the file have to be those of the token`, versionOf(source)];
    return { code: "ENTRA-WRONG-TOKEN", asks, says: error.message, fix };
  }
  if (error.service === "azure.imds" && error.class === "denied") {
    const { asks, fix } = fromMetadata(source, error.code);
    return { code: "ENTRA-REFUSED", asks, says: error.message, fix };
  }
  if (error.service !== "entra" || !error.code.startsWith("AADSTS")) return undefined;
  if (error.class !== "denied") return undefined;
  const known = refusals[error.code.slice("AADSTS".length)];
  const { says, asks, fix } = known?.(source) ?? unknown(error);
  return { code: "ENTRA-REFUSED", asks, says: `${says} (${error.code})`, fix };
}

type Told = Omit<Cause, "code" | "asks"> & { readonly asks: "broken" | "denied" };

const versionOf = ({ application }: Source): string =>
  `az ad app show --id ${application} --query api.requestedAccessTokenVersion   # null is 1`;

const fromMetadata = ({ application, tenant }: Source, code: string): Omit<Told, "says"> =>
  code === "invalid_resource"
    ? {
        asks: "broken",
        fix: [`az ad sp show --id ${application}   # in tenant ${tenant}; else az ad sp create --id APPID`],
      }
    : { asks: "denied", fix: ["az vm identity assign -g GROUP -n VM --identities IDENTITY", "or a mint in the file"] };

/** Numbers change and come new (entra.md, trap 13): what is not in the table keeps Entra's number and its page. */
const unknown = (error: CloudError): Told => ({
  says: `entra refuses: ${error.detail ?? "no reason given"}`,
  asks: "denied",
  fix: [`https://login.microsoftonline.com/error?code=${error.code.slice("AADSTS".length)}`],
});

const denied = (says: string, ...fix: readonly string[]): Told => ({ says, asks: "denied", fix });
const broken = (says: string, ...fix: readonly string[]): Told => ({ says, asks: "broken", fix });

const clientOf = ({ mint }: Source): string => mint?.clientCredentials?.clientId ?? "CLIENT-ID";
const credentialsOf = (source: Source): string => `az ad app federated-credential list --id ${clientOf(source)}`;
const mustBe = "issuer https://accounts.google.com, subject the service account's unique id";
const audienceOf = "audience api://AzureADTokenExchange, letter by letter";

/** Entra's numbers and what to do about each (entra.md 4.2, 7.4). */
export const refusals: Readonly<Record<string, (source: Source) => Told>> = {
  "7000215": () =>
    denied("the client secret is wrong", "the secret's value is wanted, not its id", "assertion: google needs none"),
  "7000222": (s) =>
    denied(
      "the client secret has expired",
      `az ad app credential reset --id ${clientOf(s)}`,
      "assertion: google needs none",
    ),
  "7000218": () => denied("no credential was sent", "name assertion: google or secretFrom in the file"),
  "700016": (s) =>
    denied(
      `the application ${clientOf(s)} is not in tenant ${s.tenant}`,
      `az ad app show --id ${clientOf(s)}`,
      "check clientId and tenant",
    ),
  "7000229": (s) =>
    denied(`the application ${clientOf(s)} has no service principal`, `az ad sp create --id ${clientOf(s)}`),
  "7000112": (s) =>
    denied(
      `the application ${clientOf(s)} is disabled`,
      `az ad sp update --id ${clientOf(s)} --set accountEnabled=true`,
    ),
  "90002": (s) => broken(`there is no tenant ${s.tenant}`, "az account show --query tenantId -o tsv"),
  "500011": resourceMissing,
  "50001": resourceMissing,
  "501051": (s) =>
    denied(
      `the workload is not assigned to a role of ${s.application}, which requires one`,
      "assign an app role: POST /servicePrincipals/SUBJECT/appRoleAssignments",
    ),
  "700024": () => denied("the assertion is outside its time", "set this machine's clock (ntp), then run it again"),
  "700027": () =>
    denied("the assertion's signature does not hold", "run it again; else the issuer's keys have changed"),
  "70021": (s) => denied("no federated credential fits the assertion", credentialsOf(s), `${mustBe}, ${audienceOf}`),
  "700211": (s) => denied("no federated credential names the assertion's issuer", credentialsOf(s), mustBe),
  "700213": (s) => denied("no federated credential names the assertion's subject", credentialsOf(s), mustBe),
  "7002138": (s) => denied("the federated credential's subject differs in upper and lower case", credentialsOf(s)),
  "700212": (s) => denied("no federated credential names the assertion's audience", credentialsOf(s), audienceOf),
  "70025": (s) =>
    denied(
      `the application ${clientOf(s)} has no federated credential`,
      `az ad app federated-credential create --id ${clientOf(s)} --parameters fic.json`,
      `${mustBe}, ${audienceOf}`,
    ),
  "700222": () =>
    denied("this token of entra cannot be an assertion", "a user-assigned managed identity's can, in its own tenant"),
  "90061": () =>
    denied("entra cannot reach the assertion's issuer", "its discovery document has to be on the internet"),
  "65001": () => denied("nobody has consented", "app-only tokens need none: the request is a user's"),
  "53003": () => denied("conditional access blocks the workload", "ask whoever runs the tenant's workload policies"),
};

function resourceMissing({ application, tenant }: Source): Told {
  const fix = [
    `az ad sp show --id ${application}`,
    "az ad sp create --id APPID   # an application needs a service principal",
  ];
  return broken(`the application ${application} is not in tenant ${tenant}`, ...fix);
}

/** A workload of no file: what is said of a number alone names nothing. */
export const unnamed: Source = { tenant: "TENANT", application: "APPLICATION", subject: "SUBJECT", tokenVersion: "1" };
