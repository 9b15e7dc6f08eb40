import { varyingParts } from "../../judge/issuers/patterns.ts";
import { isKnown, issuerOf } from "../../judge/issuers/table.ts";
import type { Finding, Link } from "../../model.ts";
import { identityOf } from "./claims.ts";
import { sideOf } from "./shape.ts";

/** What a rule says; whom it concerns is the same for all. */
type Said = Pick<Finding, "code" | "severity" | "says" | "fix" | "of"> & {
  /** Below `from.oidc`. */
  readonly field: string;
};

/** Rules over one side of a link that need no cloud. */
export function lint(link: Link): readonly Finding[] {
  const said = [
    ...forAws(link),
    ...slash(link),
    ...patterns(link),
    ...secrets(link),
    ...reserved(link),
    ...audiences(link),
  ];
  return said.map(({ field, ...rest }) => ({
    ...rest,
    at: { place: link.at(`from.oidc.${field}`) },
    links: [link.name],
    because: [],
  }));
}

/** Issuers that AWS knows without an OIDC provider (aws.md 2.1, 6.1), and what to write instead. */
const builtIn: Readonly<Record<string, string>> = {
  "https://accounts.google.com":
    "from: { google: { clientId: .., subject: .. } }, or { project: .., serviceAccount: .. }",
  "https://cognito-identity.amazonaws.com": "crosstrust has no party for Cognito identity pools",
  "https://www.amazon.com": "crosstrust has no party for Login with Amazon",
  "https://graph.facebook.com": "crosstrust has no party for Facebook",
};

/** A URL that is good everywhere else and not there: ports are untested at AWS, and documented as not wanted. */
function forAws(link: Link): readonly Said[] {
  const { issuer } = sideOf(link);
  if (link.to.party !== "aws") return [];
  const instead = builtIn[issuer];
  const known: Said = {
    ...{ code: "ISSUER-BUILT-IN", severity: "error", field: "issuer" },
    says: `aws has ${issuer} built in, under rules of its own: an OIDC provider for it is never asked`,
    fix: [instead ?? ""],
  };
  const port: Said = {
    ...{ code: "ISSUER-PORT", severity: "error", field: "issuer" },
    says: "aws takes no port in an issuer's URL",
    fix: ["serve the issuer at port 443"],
  };
  return [...(instead ? [known] : []), ...(new URL(issuer).port === "" ? [] : [port])];
}

function patterns(link: Link): readonly Said[] {
  const { issuer, subjectLike = [] } = sideOf(link);
  return subjectLike.map((pattern): Said => {
    const varying = varyingParts(issuerOf(issuer), pattern);
    const base = { field: "subjectLike", of: pattern } as const;
    if (varying !== undefined)
      return {
        ...base,
        code: "SUBJECT-PER-RUN",
        severity: "hint",
        says: `the wildcards of ${pattern} stand for ${varying.join(" and ")} alone: they admit one workload`,
        fix: [],
      };
    return {
      ...base,
      code: "BROAD-SUBJECT",
      severity: "security",
      says: `${pattern} lets in ${admittedBy(pattern, issuer)}`,
      fix: ["name the subjects with subject: [..] where they are few"],
    };
  });
}

/** Whom a pattern admits, in the words of its issuer. */
function admittedBy(pattern: string, issuer: string): string {
  const namespace = /^system:serviceaccount:([^:*?]+):\*$/.exec(pattern)?.[1];
  if (namespace !== undefined) return `every service account of the namespace ${namespace} of the cluster ${issuer}`;
  return `every subject of ${issuer} that comes to match it`;
}

/** Issuers of Entra ID: the slash at the end belongs to the first version of its tokens alone (entra.md, trap 2). */
const slashed = /^https:\/\/sts\.windows\.net\/[^/]+$/;
const unslashed = /^https:\/\/login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\/.+\/$/;

/**
 * For Google one slash at the end of an issuer does not matter. Of Azure nobody has verified that, and Microsoft's own
 * pages print the issuer without it.
 */
function slash(link: Link): readonly Said[] {
  const { issuer } = sideOf(link);
  if (link.to.party === "aws" || !(slashed.test(issuer) || unslashed.test(issuer))) return [];
  const right = slashed.test(issuer) ? `${issuer}/` : issuer.replace(/\/$/, "");
  return [
    {
      code: "ISSUER-SLASH",
      severity: "warning",
      field: "issuer",
      says: `the tokens of this tenant name their issuer ${right}, and the file names ${issuer}`,
      fix: [`copy iss from a token: issuer: ${right}`],
    },
  ];
}

/** Claims that other fields of a link set, and the field to use instead. */
const setElsewhere: Readonly<Record<string, string>> = {
  sub: "subject, or subjectLike for a pattern",
  aud: "clientId, or audience of the other side where they differ",
  oaud: "clientId, and to.aws.audience for the token's own audience",
  iss: "issuer",
  exp: "nothing: the cloud checks the times of a token itself",
  iat: "nothing: the cloud checks the times of a token itself",
  nbf: "nothing: the cloud checks the times of a token itself",
};

/** AWS knows no case in the name of a claim; elsewhere another spelling is another claim. */
function reserved(link: Link): readonly Said[] {
  const toAws = link.to.party === "aws";
  const own = identityOf({ ...link, from: { ...link.from, spec: { ...link.from.spec, claims: {} } } });
  const party = own.proof === "oidc" && (toAws || own.claims.azp !== undefined) ? { azp: "clientId" } : {};
  const fields: Readonly<Record<string, string>> = { ...setElsewhere, ...party };
  return Object.keys(sideOf(link).claims ?? {}).flatMap((claim) => {
    const field = fields[toAws ? claim.toLowerCase() : claim];
    if (field === undefined) return [];
    const says = `claims.${claim} would override what another field of the link says`;
    return [{ code: "CLAIM-RESERVED", severity: "error", field: `claims.${claim}`, says, fix: [`use ${field}`] }];
  });
}

/** Fields that say different things of the audience and of the client that asks. */
function audiences(link: Link): readonly Said[] {
  const { issuer, clientId, mint } = sideOf(link);
  const entry = issuerOf(issuer);
  const issued = isKnown(entry) ? entry : undefined;
  const apart: Said = {
    code: "FIELDS-CONTRADICT",
    severity: "error",
    field: "clientId",
    says: `tokens of ${issued?.name} have one audience and no authorized party: it is ${clientId} by clientId, and ${link.audience} by to.${link.to.party}.audience`,
    fix: [`clientId: ${link.audience}, and leave to.${link.to.party}.audience out`],
  };
  const asking = mint && "clientCredentials" in mint ? mint.clientCredentials.clientId : clientId;
  const another: Said = {
    code: "FIELDS-CONTRADICT",
    severity: "error",
    field: "mint",
    says: `tokens of ${issued?.name} name the client that asks: that is ${asking} by mint, and ${clientId} by clientId`,
    fix: [`clientId: ${asking}`, `or mint with the client ${clientId}`],
  };
  return [
    ...(issued && !issued.azp && link.audience !== clientId ? [apart] : []),
    ...(issued?.azp && asking !== clientId ? [another] : []),
  ];
}

/** The very thing that a federation is there to do without. */
function secrets(link: Link): readonly Said[] {
  const { mint } = sideOf(link);
  if (!mint || !("clientCredentials" in mint) || !("secretFrom" in mint.clientCredentials)) return [];
  const says = "a stored secret mints for this link: it can be stolen, and has to be rotated";
  const manager: Said = {
    ...{ code: "MINT-NOT-BUILT", severity: "error", field: "mint" },
    says: "secretFrom: secretmanager:NAME is not built yet",
    fix: ["secretFrom: env:NAME"],
  };
  return [
    ...(mint.clientCredentials.secretFrom.startsWith("secretmanager:") ? [manager] : []),
    {
      ...{ code: "MINT-STORED-SECRET", severity: "warning", field: "mint" },
      says,
      fix: ["assertion: google, where the issuer takes one"],
    },
  ];
}
