import type { Finding, Link } from "../../model.ts";
import { sideOf } from "./shape.ts";

/** What a rule says; whom it concerns is the same for all. */
type Said = Pick<Finding, "code" | "severity" | "says" | "fix" | "of"> & {
  /** Below `from.oidc`. */
  readonly field: string;
};

/** Rules over one side of a link that need no cloud. */
export function lint(link: Link): readonly Finding[] {
  const said = [...forAws(link), ...patterns(link), ...secrets(link)];
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

const patterns = (link: Link): readonly Said[] =>
  (sideOf(link).subjectLike ?? []).map((pattern) => ({
    code: "BROAD-SUBJECT",
    severity: "security",
    field: "subjectLike",
    of: pattern,
    says: `${pattern} lets in every subject of ${sideOf(link).issuer} that comes to match it`,
    fix: ["name the subjects with subject: [..] where they are few"],
  }));

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
