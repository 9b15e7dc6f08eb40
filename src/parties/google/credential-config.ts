/** Where a client finds the proof of the workload it runs as (google.md 7). */
export type CredentialSource =
  | { readonly of: "aws"; readonly imdsv2?: boolean }
  | { readonly of: "azure"; readonly appIdUri?: string }
  | ({ readonly of: "file"; readonly file: string } & Format)
  | ({ readonly of: "url"; readonly url: string; readonly headers?: Readonly<Record<string, string>> } & Format)
  | {
      readonly of: "executable";
      readonly command: string;
      readonly timeoutMillis?: number;
      readonly outputFile?: string;
    }
  | { readonly of: "certificate"; readonly configLocation?: string; readonly trustChain?: string };

/** How a file or an answer holds the token; without it the whole is the token. */
interface Format {
  readonly type?: "text" | "json";
  /** With `json` alone: where in it the token stands. */
  readonly field?: string;
}

/** A credential configuration file, in the words of gcloud's flags; `audience` without its scheme and host. */
export interface ConfigAsk {
  readonly audience: string;
  readonly source: CredentialSource;
  readonly serviceAccount?: string;
  /** Seconds, 600 to 43200. */
  readonly lifetime?: number;
  readonly subjectTokenType?: string;
  readonly universe?: string;
  readonly userProject?: string;
}

const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const metadata = "http://169.254.169.254";

/**
 * The text of the file, byte for byte as gcloud writes it: two blanks of indent, its order of keys, no newline at the
 * end (google.md 7). Throws a `RangeError` with the reason for what gcloud writes although it makes no sense.
 */
export function credentialConfig(ask: ConfigAsk): string {
  check(ask);
  const { audience, source, serviceAccount, lifetime, universe = "googleapis.com", userProject } = ask;
  const tls = source.of === "certificate" ? ".mtls" : "";
  const account = `https://iamcredentials${tls}.${universe}/v1/projects/-/serviceAccounts/${serviceAccount}`;
  const life = lifetime === undefined ? {} : { service_account_impersonation: { token_lifetime_seconds: lifetime } };
  const workforce = audience.includes("/workforcePools/");
  const config = {
    universe_domain: universe,
    type: "external_account",
    audience: `//iam.googleapis.com/${audience}`,
    subject_token_type: tokenType(ask, workforce),
    token_url: `https://sts${tls}.${universe}/v1/token`,
    credential_source: sourceOf(ask),
    ...(userProject === undefined ? {} : { workforce_pool_user_project: userProject }),
    ...(serviceAccount === undefined
      ? { token_info_url: `https://sts${tls}.${universe}/v1/introspect` }
      : { service_account_impersonation_url: `${account}:generateAccessToken`, ...life }),
  };
  return ascii(JSON.stringify(config, null, 2));
}

/** Python's `json.dumps` writes whatever is beyond ASCII as an escape. */
const ascii = (text: string): string =>
  text.replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

function tokenType({ source, subjectTokenType }: ConfigAsk, workforce: boolean): string {
  if (source.of === "aws") return "urn:ietf:params:aws:token-type:aws4_request";
  if (source.of === "azure") return type("jwt");
  if (source.of === "certificate") return type("mtls");
  return subjectTokenType ?? type(workforce ? "id_token" : "jwt");
}

function sourceOf({ source, audience }: ConfigAsk): object {
  switch (source.of) {
    case "aws":
      return {
        environment_id: "aws1",
        region_url: `${metadata}/latest/meta-data/placement/availability-zone`,
        url: `${metadata}/latest/meta-data/iam/security-credentials`,
        regional_cred_verification_url:
          "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        ...(source.imdsv2 ? { imdsv2_session_token_url: `${metadata}/latest/api/token` } : {}),
      };
    case "azure":
      return {
        url: `${metadata}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${source.appIdUri ?? `https://iam.googleapis.com/${audience}`}`,
        headers: { Metadata: "True" },
        format: { type: "json", subject_token_field_name: "access_token" },
      };
    case "file":
      return { file: source.file, ...formatOf(source) };
    case "url":
      return { url: source.url, ...(source.headers ? { headers: source.headers } : {}), ...formatOf(source) };
    case "executable": {
      const { command, timeoutMillis = 30_000, outputFile } = source;
      const output = outputFile === undefined ? {} : { output_file: outputFile };
      return { executable: { command, timeout_millis: timeoutMillis, ...output } };
    }
    case "certificate": {
      const { configLocation, trustChain } = source;
      const where =
        configLocation === undefined
          ? { use_default_certificate_config: true }
          : { certificate_config_location: configLocation };
      return { certificate: { ...where, ...(trustChain === undefined ? {} : { trust_chain_path: trustChain }) } };
    }
  }
}

function formatOf({ type: kind, field }: Format): object {
  if (kind === undefined) return {};
  return { format: { type: kind, ...(field === undefined ? {} : { subject_token_field_name: field }) } };
}

const workload =
  /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/;
const workforce = /^locations\/global\/workforcePools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/;

/** A reason, or undefined where there is nothing against it. */
type Objection = readonly [when: boolean, why: string];

/** What gcloud lets pass (the LENIENT files of its golden set), and its own limits (google.md 7). */
function check(ask: ConfigAsk): void {
  const found = [...aboutAudience(ask), ...aboutLife(ask), ...aboutSource(ask), ...aboutFormat(ask)];
  const first = found.find(([when]) => when);
  if (first) throw new RangeError(first[1]);
}

const aboutAudience = ({ audience }: ConfigAsk): readonly Objection[] => [
  [audience.startsWith("//"), "the audience is given without //iam.googleapis.com/, which would stand there twice"],
  [
    !workload.test(audience) && !workforce.test(audience),
    `${audience} is no pool provider: its full name begins with projects/NUMBER`,
  ],
];

const aboutLife = ({ serviceAccount, lifetime }: ConfigAsk): readonly Objection[] =>
  lifetime === undefined
    ? []
    : [
        [serviceAccount === undefined, "a lifetime is that of a service account's token, and none is named"],
        [lifetime < 600 || lifetime > 43_200, "a lifetime is between 600 and 43200 seconds"],
      ];

/** Members that belong to another source: gcloud ignores them without a word. */
function aboutSource({ source, subjectTokenType }: ConfigAsk): readonly Objection[] {
  const { of } = source;
  const stray = (member: string, home: string) => member in source && of !== home;
  const fixed = ["aws", "azure", "certificate"].includes(of) && subjectTokenType !== undefined;
  return [
    [fixed, `the type of the token follows from ${of}; another would be ignored`],
    [stray("appIdUri", "azure"), "an application is asked for a token on azure alone"],
    [stray("imdsv2", "aws"), "imdsv2 is a way of aws alone"],
    [stray("headers", "url"), "headers are sent to a url alone"],
  ];
}

function aboutFormat({ source }: ConfigAsk): readonly Objection[] {
  if (source.of === "executable") {
    const { command, timeoutMillis = 30_000 } = source;
    const whole = /^(?:\/|[A-Za-z]:\\)/.test(command);
    return [
      [!whole, "a program is named by its whole path: which one runs must not depend on where"],
      [timeoutMillis < 5000 || timeoutMillis > 120_000, "a program has between 5000 and 120000 milliseconds"],
    ];
  }
  if (source.of !== "file" && source.of !== "url") return [];
  const [json, named] = [source.type === "json", source.field !== undefined];
  return [
    [json && !named, "a token inside json needs the name of its field"],
    [!json && named, "a field is that of json, and the token is not said to stand in json"],
  ];
}
