import type { Finding, Link } from "../../model.ts";
import { tokenExchange } from "./claims.ts";
import { isGuid, type Source, sourceOf } from "./shape.ts";

/** What a rule says; where, and whom it concerns, is the same for all. */
interface Said extends Pick<Finding, "code" | "severity" | "says" | "fix" | "of"> {
  /** Below `from.entra`. */
  readonly field: string;
}

/** Rules over one side of a link that need no cloud. */
export function lint(link: Link): readonly Finding[] {
  const source = sourceOf(link);
  const said = [...rules.flatMap((rule) => rule(source) ?? []), ...otherAudience(link)];
  return said.map(({ field, ...rest }) => ({
    ...rest,
    at: { place: link.at(`from.entra.${field}`) },
    links: [link.name],
    because: [],
  }));
}

/** Tokens for these have a form of Microsoft's own, which nobody else can verify (entra.md 2.8). */
const microsoft =
  /^(?:https:\/\/(?:management\.(?:core\.windows\.net|azure\.com)|graph\.(?:microsoft\.com|windows\.net)|vault\.azure\.net|storage\.azure\.com)|00000003-0000-0000-c000-000000000000|797f4846-ba00-4fd7-ba43-dac1f8f63013)$/;

const rules: readonly ((source: Source) => Said | undefined)[] = [
  needsGuid,
  needsClientId,
  anotherClient,
  sharedAudience,
  subjectIsClient,
  microsoftApi,
  storedSecret,
  notBuilt,
];

/** No token of Entra has an audience that the relying party chose (entra.md, trap 3). */
function otherAudience(link: Link): readonly Said[] {
  const { application } = sourceOf(link);
  const { audiences } = link.to.spec;
  if (Array.isArray(audiences) && !audiences.includes(application)) {
    const says = `entra's tokens have the application ${application} as audience, and to.${link.to.party}.audiences does not take it`;
    const fix = [`add ${application} to audiences; or leave them out`];
    return [{ code: "ENTRA-AUDIENCE", severity: "error", field: "application", says, fix }];
  }
  if (link.audience === application) return [];
  const says = `entra's tokens have the application ${application} as audience, never ${link.audience}`;
  const fix = [`leave to.${link.to.party}.audience out`];
  return [{ code: "ENTRA-AUDIENCE", severity: "error", field: "application", says, fix }];
}

/** v2 tokens carry the GUID as `aud`, also where the App ID URI was asked for (entra.md, trap 3). */
function needsGuid({ tokenVersion, application }: Source): Said | undefined {
  if (tokenVersion !== "2" || isGuid(application)) return undefined;
  const says = `tokens of version 2 carry the application's client id as aud, never ${application}`;
  const fix = [`az ad app show --id ${application} --query appId -o tsv`];
  return { code: "ENTRA-V2-NEEDS-GUID", severity: "error", field: "application", says, fix };
}

/** aws reads `azp`, the client that asked for the token (entra.md, trap 4). */
function needsClientId({ tokenVersion, clientId }: Source): Said | undefined {
  if (tokenVersion !== "2" || clientId !== undefined) return undefined;
  const says = "tokens of version 2 carry the client that asked for them as azp, and clientId is missing here";
  const fix = ["az ad sp show --id SUBJECT --query appId -o tsv"];
  return { code: "ENTRA-V2-NEEDS-CLIENT-ID", severity: "error", field: "clientId", says, fix };
}

/** A token names the client that asked for it, and `mint` says which one asks. */
function anotherClient({ clientId, mint }: Source): Said | undefined {
  const asking = mint?.clientCredentials?.clientId;
  if (asking === undefined || clientId === undefined || asking === clientId) return undefined;
  const says = `tokens name the client that asks for them: that is ${asking} by mint, and ${clientId} by clientId`;
  const fix = [`clientId: ${asking}`, `or mint with the client ${clientId}`];
  return { code: "FIELDS-CONTRADICT", severity: "error", field: "clientId", says, fix };
}

/**
 * Whoever gets such a token can present it to Entra for an app that trusts the same identity (entra.md 5.1 C). Where a
 * service of Microsoft's asks for the token, as Azure DevOps does for its service connections, the audience is prescribed.
 */
function sharedAudience({ application, subject }: Source): Said | undefined {
  if (application !== tokenExchange.uri && application !== tokenExchange.appId) return undefined;
  if (subject.startsWith("/eid1/")) return undefined;
  const says = `${application} is the audience of microsoft's own exchange: whoever receives the token can use it there`;
  const fix = ["az ad app create --display-name aws-federation   # its api://APPID or client id is the application"];
  return { code: "ENTRA-SHARED-AUDIENCE", severity: "security", field: "application", of: application, says, fix };
}

/** Three GUIDs, one right: `sub` is the object id of the service principal (entra.md, trap 5, and 5.3). */
function subjectIsClient({ subject, clientId, application }: Source): Said | undefined {
  if (subject !== clientId && subject !== application && `api://${subject}` !== application) return undefined;
  const says = `the subject ${subject} is a client id; a token names the object id of the service principal`;
  return {
    ...{ code: "ENTRA-SUBJECT-IS-CLIENT", severity: "error", field: "subject", says },
    fix: [
      `az ad sp show --id ${subject} --query id -o tsv`,
      "az identity show -g GROUP -n NAME --query principalId -o tsv",
    ],
  };
}

function microsoftApi({ application }: Source): Said | undefined {
  if (!microsoft.test(application)) return undefined;
  const says = `a token for ${application} can be verified by microsoft alone`;
  const fix = ["register an application of your own, and name its App ID URI here"];
  return { code: "ENTRA-MICROSOFT-API", severity: "error", field: "application", says, fix };
}

const secretField = "mint.clientCredentials.secretFrom";

function storedSecret({ mint }: Source): Said | undefined {
  if (mint?.clientCredentials?.secretFrom === undefined) return undefined;
  const says = "a stored secret mints for this link: it can leak, and it expires";
  const fix = ["assertion: google instead, with a federated credential on the application"];
  return { code: "MINT-STORED-SECRET", severity: "warning", field: secretField, says, fix };
}

function notBuilt({ mint }: Source): Said | undefined {
  if (!mint?.clientCredentials?.secretFrom?.startsWith("secretmanager:")) return undefined;
  const says = "a secret of secret manager cannot be read yet";
  const fix = ["secretFrom: env:NAME, and let the platform put the secret into that variable", "assertion: google"];
  return { code: "MINT-NOT-BUILT", severity: "error", field: secretField, says, fix };
}
